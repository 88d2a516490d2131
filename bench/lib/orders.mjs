/** A CSV file of orders, the same for the same number of rows: one in 10,000 has a negative quantity, one in 20,000 an id that was there before. */
import {bareDuckDb} from './bare-duckdb.mjs';

/** As many rows as make about one megabyte. */
export const rowsPerMegabyte = 9_300;

export async function writeOrders(/** @type {string} */ path, /** @type {number} */ rows) {
  const {connection, close} = await bareDuckDb();
  const pick = (/** @type {number} */ salt, /** @type {string[]} */ words) => `[${words.map((word) => `'${word}'`).join(', ')}][(1 + hash(i * 31 + ${salt}) % ${words.length})::INTEGER]`;
  await connection.run(`COPY (
    SELECT
      CASE WHEN i % 20000 = 5000 THEN i - 1 ELSE i END AS id,
      format('ORD-{:08d}', i) AS order_no,
      ${pick(1, ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Tony', 'Frances', 'Ken'])} || ' ' || ${pick(2, ['Byron', 'Hopper', 'Dijkstra', 'Liskov', 'Knuth', 'Hoare', 'Allen', 'Thompson'])} AS customer,
      ${pick(3, ['books', 'garden', 'tools', 'toys', 'music', 'food'])} AS category,
      format('{:05d}', hash(i * 7) % 100000) AS postcode,
      DATE '2020-01-01' + (i % 1800)::INTEGER AS ordered_on,
      TIMESTAMP '2020-01-01' + INTERVAL 1 DAY * (i % 1800 + 1) + INTERVAL 1 SECOND * (hash(i * 13) % 86400)::INTEGER AS shipped_at,
      CASE WHEN i % 10000 = 9999 THEN -1 ELSE 1 + hash(i * 17) % 20 END AS quantity,
      ((hash(i * 19) % 99900 + 100) / 100)::DECIMAL(9, 2) AS price,
      CASE WHEN hash(i * 23) % 4 = 0 THEN NULL ELSE 'leave it at the ' || ${pick(4, ['door', 'desk', 'neighbour, no. 5', 'back ""door""'])} END AS note
    FROM range(${rows}) AS numbers(i)
  ) TO '${path}' (FORMAT csv, HEADER)`);
  close();
}

/** What the orders should be; both ways of being bad end in the quarantine. */
export const ordersContract = {
  checks: [
    {notNull: 'order_no'},
    {notNull: 'customer'},
    {range: {column: 'quantity', min: 1, max: 1000}},
    {range: {column: 'price', min: 0, max: 100_000}},
    {range: {column: 'ordered_on', min: '2019-01-01', max: '2030-12-31'}},
    {set: {column: 'category', values: ['books', 'garden', 'tools', 'toys', 'music', 'food']}},
    {pattern: {column: 'order_no', regex: 'ORD-[0-9]{8}'}},
    {length: {column: 'note', max: 200}},
    {sql: 'shipped_at >= ordered_on'},
    {rowCount: {min: 1}},
  ],
  onBadRow: /** @type {const} */ ('quarantine'),
};
