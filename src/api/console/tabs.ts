/** The tabs a new user finds in the console: the story of the sample project, each one query to run as it stands. */

export interface ConsoleTab {
  /** Also the name of the operation, from which GraphiQL makes the tab's title. */
  readonly title: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

export const consoleTabs: readonly ConsoleTab[] = [
  {
    title: 'Discover',
    query: `# What is here: the pipeline, the model served over
# what it makes, and the datasets.
# Run it with the button or Ctrl-Enter; the tabs to
# the right go on with the story.
query Discover {
  pipelines {
    name
    description
    params {
      name
      default
    }
    steps {
      name
      kind
    }
  }
  models {
    name
    description
    deployments {
      dataset {
        name
      }
      field
      alias
    }
  }
  datasets {
    totalCount
    nodes {
      name
      rowCount
      key
      schema {
        fields {
          name
          type
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Rows',
    query: `# The rows of a dataset are typed.
# origin_airport follows a foreign key.
# late_arrival is what the model says, computed for
# these rows now: how probable is it that the flight
# is more than 15 minutes late? delay is what came
# of it, in minutes.
query Rows($origin: String!, $before: timestamp!) {
  flights(
    where: {
      origin: {_eq: $origin}
      date: {_lt: $before}
    }
    order_by: [{date: desc}]
    limit: 10
  ) {
    date
    origin_airport {
      name
      state
    }
    destination
    inbound_late_share
    late_arrival {
      label
      probability
    }
    delay
  }
}
`,
    variables: {origin: 'ATL', before: '2001-06-15T00:00:00'},
  },
  {
    title: 'Aggregate',
    query: `# Over all flights: how late the arrivals of the last
# two hours were tells how late a departure will be.
query Aggregate {
  calm: flights_aggregate(
    where: {
      inbound_flights: {_gte: 5}
      inbound_late_share: {_lte: 0.1}
    }
  ) {
    ...Delays
  }
  congested: flights_aggregate(
    where: {
      inbound_flights: {_gte: 5}
      inbound_late_share: {_gte: 0.6}
    }
  ) {
    ...Delays
  }
  # Made by a step of the pipeline: what came true,
  # and what the model expected.
  airport_delays(
    where: {flights: {_gte: 10000}}
    order_by: [{late_share: desc}]
    limit: 5
  ) {
    origin
    flights
    late_share
    expected_late_share
  }
}

fragment Delays on flights_aggregate {
  aggregate {
    count
    avg {
      delay
    }
    max {
      delay
    }
  }
}
`,
  },
  {
    title: 'Groups',
    query: `# Rows grouped by what is selected in key: here
# airports, from whichever side of the foreign key.
# having, order_by and limit choose among the groups;
# nodes are the rows of each.
query Groups($least: Int!) {
  worst: flights_groups(
    having: {count: {_gte: $least}}
    order_by: [{avg: {delay: desc}}]
    limit: 5
  ) {
    key {
      origin_airport {
        city
      }
    }
    aggregate {
      count
      avg {
        delay
      }
      quantile(q: 0.95) {
        delay
      }
    }
    nodes(order_by: [{delay: desc}], limit: 1) {
      date
      destination
      delay
    }
  }
  months: flights_groups(
    order_by: [{key: {date: asc}}]
  ) {
    key {
      date(trunc: MONTH)
    }
    aggregate {
      count
      avg {
        delay
      }
    }
  }
}
`,
    variables: {least: 20000},
  },
  {
    title: 'Predict',
    query: `# Predictions are columns: they filter, order and
# aggregate rows as others do. set asks what the model
# would say if an input were another (which is what the
# model does, not what would happen).
query Predict($origin: String!, $least: Float!) {
  flights(
    where: {
      origin: {_eq: $origin}
      date: {_gte: "2001-06-14", _lt: "2001-06-15"}
      late_arrival: {probability: {_gte: $least}}
    }
    order_by: [{late_arrival: {probability: desc}}]
    limit: 5
  ) {
    date
    destination
    inbound_late_share
    late_arrival {
      probability
    }
    inbound_on_time: late_arrival(
      set: {inbound_late_share: 0}
    ) {
      probability
    }
    delay
  }
}
`,
    variables: {origin: 'ATL', least: 0.8},
  },
  {
    title: 'Live',
    query: `# A query that answers again whenever a run brings
# another answer. Leave it running, and run StartRun.
subscription Live {
  flights_aggregate {
    aggregate {
      count
      max {
        date
      }
      avg {
        delay
      }
    }
  }
}
`,
  },
  {
    title: 'Refused',
    query: `# What a contract refuses is not lost: it is kept aside,
# whole, with the reason and its place in the file.
# replayQuarantine gives it to its dataset again,
# mended by an expression.
query Refused {
  dataset(name: "birdstrikes") {
    rowCount
    contract {
      onBadRow
      checks {
        says
      }
    }
    quarantine {
      name
      rowCount
    }
  }
  birdstrikes_quarantine(
    order_by: [{quarantine_record: asc}]
    limit: 5
  ) {
    airport_name
    flight_date
    effect_amount_of_damage
    quarantine_reasons
    quarantine_file
    quarantine_record
  }
}
`,
  },
  {
    title: 'StartRun',
    query: `# Runs the pipeline for the flights through a day.
# Then run WatchRun: it follows the run that you
# started last. Steps whose inputs have not changed
# are reused; the others make new snapshots, and the
# earlier ones stay: ask for them with as_of.
mutation StartRun($through: String!) {
  startRun(
    input: {
      pipeline: "flight_delays"
      params: {through: $through}
    }
  ) {
    __typename
    ... on RunStarted {
      run {
        id
        status
      }
    }
    ... on Failure {
      code
      message
      hint
    }
  }
}
`,
    variables: {through: '2001-06-29'},
  },
  {
    title: 'WatchRun',
    query: `# Follows a run while it happens, newest first.
# An empty runId is the run you started last.
# Set after to any seq to resume there: no event is
# lost, none comes twice.
subscription WatchRun($runId: ID!, $after: BigInt) {
  runEvents(runId: $runId, after: $after) {
    __typename
    seq
    at
    ... on StepStarted {
      step {
        name
      }
      reason
    }
    ... on StepProgress {
      step {
        name
      }
      fraction
      rowsDone
      rowsPerSecond
    }
    ... on LogLine {
      message
    }
    ... on SnapshotCommitted {
      dataset {
        name
      }
      rowCount
      reused
    }
    ... on FilePublished {
      path
      rowCount
    }
    ... on StepFinished {
      step {
        name
      }
      status
    }
    ... on RunFinished {
      run {
        status
      }
    }
  }
}
`,
    variables: {runId: '', after: '0'},
  },
  {
    title: 'Lineage',
    query: `# Where predictions come from: the model's version,
# and the way back through snapshots and runs to the
# raw file, column by column.
query Lineage($column: String!) {
  lineage(of: {column: $column}) {
    nodes {
      __typename
      ... on ModelVersion {
        id
        number
        fingerprint
      }
      ... on Snapshot {
        id
        dataset {
          name
        }
        rowCount
        committedAt
      }
      ... on Run {
        id
        params
        status
      }
      ... on RawFile {
        path
        sha256
      }
    }
    edges {
      kind
      columns
      from
      to
    }
    verifyCommand
  }
}
`,
    variables: {column: 'flight_predictions.probability'},
  },
];
