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
    // nginx's rt=0.012 behind a line of the format access stands in the attribute "extra".
    sql: `with timed as (
  select request_route, cast(coalesce(
    attributes->>'request_time',
    nullif(regexp_replace(attributes->>'extra', '^(?:.* )?rt=([0-9]+[.]?[0-9]*).*$|^.*$', '\\1'), '')
  ) as double precision) as took_s
  from log_records
)
select request_route, count(*) as requests,
  cast(avg(took_s) as decimal(12, 3)) as mean_s,
  max(took_s) as longest_s
from timed
where took_s is not null
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
