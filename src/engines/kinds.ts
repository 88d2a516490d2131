import {hiveServers} from './hive/install/serve.ts';
import type {EngineServers} from './installation.ts';
import {sparkServers} from './spark/server.ts';

/** Engines that can be installed and started on this machine. */
export const engineServers: readonly EngineServers[] = [sparkServers, hiveServers];
