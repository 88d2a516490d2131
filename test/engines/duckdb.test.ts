import {join} from 'node:path';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import {engineConformance} from '../conformance/engine.ts';

engineConformance('duckdb', folder => createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 3}));
