import {TestEnvironment} from 'jest-environment-node';

/**
 * Jest gives each test file its own globals. Native add-ons check for the process's own typed arrays, so those are handed in.
 */
export default class Environment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const type of [
      ArrayBuffer, SharedArrayBuffer, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
      BigInt64Array, BigUint64Array, Float32Array, Float64Array,
    ]) {
      this.global[type.name] = type;
    }
  }
}
