import {BatchLoader} from '../../../../src/api/graphql/core/batch-loader.ts';

function recording(keep?: boolean) {
  const rounds: (readonly number[])[] = [];
  const loader = new BatchLoader<number, string>(async keys => {
    rounds.push(keys);
    return new Map(keys.filter(key => key < 10).map(key => [key, `#${key}`]));
  }, keep);
  return {rounds, loader};
}

test('keys of one round are loaded by one call, each once', async () => {
  const {rounds, loader} = recording();
  const later = Promise.resolve().then(() => Promise.all([loader.load(3), loader.load(1)]));
  expect(await Promise.all([loader.load(1), loader.load(2), loader.load(1), loader.load(99)])).toEqual(['#1', '#2', '#1', undefined]);
  expect(await later).toEqual(['#3', '#1']);
  expect(rounds).toEqual([[1, 2, 99, 3]]);
  await loader.load(1);
  expect(rounds).toHaveLength(1);
});

test('nothing is kept where contexts live long', async () => {
  const {rounds, loader} = recording(false);
  await Promise.all([loader.load(1), loader.load(1)]);
  await loader.load(1);
  expect(rounds).toEqual([[1], [1]]);
});

test('a failed round rejects for all who asked', async () => {
  const loader = new BatchLoader<number, number>(() => Promise.reject(new Error('gone')));
  const answers = await Promise.allSettled([loader.load(1), loader.load(2)]);
  expect(answers.map(({status}) => status)).toEqual(['rejected', 'rejected']);
});
