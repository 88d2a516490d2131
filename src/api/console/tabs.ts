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
    query: `# What is here: the datasets, their columns,
# and the models served over them.
# Run it with the play button or Ctrl-Enter.
query Discover {
  datasets(first: 20) {
    totalCount
    nodes {
      name
      rowCount
      schema {
        fields {
          name
          type
          nullable
        }
      }
      models {
        model {
          name
        }
        state
        reason
      }
    }
  }
}
`,
  },
  {
    title: 'Rows',
    query: `# The rows of a dataset are typed.
# origin_airport follows a foreign key;
# late_arrival is what the model predicts, scored
# for the rows you ask for.
query Rows($origin: String!) {
  flights(
    where: {origin: {_eq: $origin}}
    order_by: [{date: desc}]
    limit: 10
  ) {
    date
    origin_airport {
      name
      city
    }
    destination
    inbound_flights
    inbound_late_share
    late_arrival {
      label
      probability
    }
    delay
  }
}
`,
    variables: {origin: 'ATL'},
  },
  {
    title: 'Aggregate',
    query: `# Over three million flights: how late arrivals at
# an airport were in the last two hours tells how
# late its departures will be.
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
    title: 'StartRun',
    query: `# Starts the sample pipeline. Then run WatchRun:
# it follows the run that you started last.
# Steps whose inputs have not changed are reused.
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
    variables: {through: '2001-06-30'},
  },
  {
    title: 'WatchRun',
    query: `# Follows a run while it happens, newest first.
# An empty runId is the run you started last.
# "after" resumes past any event: none is lost,
# none comes twice.
subscription WatchRun($runId: ID!, $after: BigInt) {
  runEvents(runId: $runId, after: $after) {
    __typename
    seq
    at
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
      snapshot {
        id
        rowCount
      }
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
    query: `# Where a column comes from: the raw file, the
# snapshots and runs on its way, the model it feeds.
query Lineage($column: String!) {
  lineage(of: {column: $column}) {
    verifyCommand
    nodes {
      __typename
      ... on RawFile {
        path
        sha256
      }
      ... on Snapshot {
        id
        rowCount
        committedAt
      }
      ... on Run {
        id
        status
      }
    }
    edges {
      from
      to
      kind
      columns
    }
  }
}
`,
    variables: {column: 'flights.inbound_late_share'},
  },
];
