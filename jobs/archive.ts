/** Data as it lies about: JSON with numbers for titles, codes that look like numbers, years of the wrong century. What it has to keep to stands in the contracts beside this file. */
import {ingest, pipeline} from 'millrace/jobs';

export default pipeline('archive', {
  description: 'Movies and zip codes, each guarded by its contract.',
  steps: [
    ingest('movies', {path: 'package:vega-datasets/data/movies.json'}),
    ingest('zipcodes', {path: 'package:vega-datasets/data/zipcodes.csv'}),
  ],
});
