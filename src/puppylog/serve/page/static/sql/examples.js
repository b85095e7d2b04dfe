/** Statements to begin with, in SQL that DuckDB and PostgreSQL have. A test runs them on the embedded store. */
export const EXAMPLES = [
  {
    label: "Newest records",
    sql: "select ts, severity, host, message\nfrom log_records\norder by ts desc\nlimit 100",
  },
  {
    label: "Requests a minute, and those that failed",
    sql: `select date_trunc('minute', ts) as minute,
  count(*) as requests,
  count(*) filter (where status_code >= 500) as failed
from log_records
where status_code is not null
group by 1
order by 1`,
  },
  {
    label: "Slowest routes",
    sql: `select request_route, count(*) as requests,
  cast(avg(cast(attributes->>'request_time' as double precision)) as decimal(12, 3)) as mean_s,
  max(cast(attributes->>'request_time' as double precision)) as longest_s
from log_records
where attributes->>'request_time' is not null
group by 1
order by 3 desc
limit 50`,
  },
  {
    label: "Routes by bytes sent",
    sql: `select request_route, count(*) as requests, sum(response_bytes) as bytes
from log_records
where request_route is not null
group by 1
order by 3 desc nulls last
limit 50`,
  },
  {
    label: "Clients with server errors",
    sql: `select host, count(*) as errors
from log_records
where status_code >= 500
group by 1
order by 2 desc
limit 50`,
  },
  {
    label: "Why lines were rejected",
    sql: "select reason, count(*) as lines\nfrom rejected_lines\ngroup by 1\norder by 2 desc",
  },
];
