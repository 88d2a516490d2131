import {ask, failureFields} from './graph-client.ts';
import type {GraphClient} from './graph-client.ts';

export interface RegisterModel {
  readonly model: string;
  /** The .onnx file on this machine. */
  readonly file: string;
  readonly dataFiles?: readonly string[];
  readonly examples?: unknown;
  readonly metrics?: unknown;
  readonly trainedOn?: readonly string[];
  readonly alias?: string;
  readonly description?: string;
}

export const registerDocument = `mutation Register($input: RegisterModelInput!) {
  registerModel(input: $input) { ${failureFields} ... on ModelRegistered { version { number fingerprint } } }
}`;

/** Uploads a model's files and registers them as its next version. @throws ARTIFACT_*, PARITY_FAILED, NAME_* */
export async function registerModel(graph: GraphClient, {file, dataFiles = [], ...input}: RegisterModel): Promise<{readonly number: number; readonly fingerprint: string}> {
  const artifact = await graph.upload(file);
  const files: string[] = [];
  for (const path of dataFiles) files.push(await graph.upload(path));
  const {registerModel: {version}} = await ask<{registerModel: {version: {number: number; fingerprint: string}}}>(graph, registerDocument, {input: {...input, artifact, files}});
  return version;
}

export interface DeployModel {
  readonly model: string;
  readonly version: number;
  readonly alias?: string;
  readonly on: string;
  readonly as?: string;
  readonly features?: Readonly<Record<string, string>>;
}

export const deployDocument = `mutation Deploy($input: DeployModelInput!) {
  deployModel(input: $input) { ${failureFields} ... on ModelDeployed { field version { number } dataset { name } } }
}`;

/** Serves a version over a dataset. @throws SIGNATURE_MISMATCH, NAME_*, *_NOT_FOUND */
export async function deployModel(graph: GraphClient, input: DeployModel): Promise<{readonly field: string; readonly version: {readonly number: number}; readonly dataset: {readonly name: string}}> {
  const answer = await ask<{deployModel: {field: string; version: {number: number}; dataset: {name: string}}}>(graph, deployDocument, {input});
  return answer.deployModel;
}
