/* The enumerations that C and Python share.
 *
 * Each is written once, in the order of its numbers, with the name or text of the member in Python. The module has them
 * as ENUMS (see module.c), and tests/formats/test_native_enums.py compares ENUMS with the enumerations in Python.
 */
#ifndef PUPPYLOG_ENUMS_H
#define PUPPYLOG_ENUMS_H

#define AS_NUMBER(name, text) name,
#define AS_TEXT(name, text) text,
#define AS_PAIR(name, text) #name " " text,

/* What a reader returns for a line that is not rejected. A rejected line has a reason, which is 0 or more. */
enum {
    FITS = -1,
    ROWLESS = -2,  /* the line makes no row: it is a directive */
    CONTINUES = -3 /* the line does not begin a record: it belongs to the record before */
};

#define ACCESS_VARIANTS(X)     \
    X(ACCESS_EITHER, "access") \
    X(ACCESS_COMMON, "common") \
    X(ACCESS_COMBINED, "combined")

#define ACCESS_REASONS(X)                                               \
    X(ACCESS_NO_REQUEST, "no time in brackets before a quoted request") \
    X(ACCESS_TIME_FORM, "time is not dd/Mon/yyyy:HH:MM:SS +zzzz")       \
    X(ACCESS_TIME_RANGE, "time out of range")                           \
    X(ACCESS_HEAD, "no host, ident and user before the time")           \
    X(ACCESS_OPEN_QUOTE, "an unclosed quote")                           \
    X(ACCESS_STATUS, "status is not three digits")                      \
    X(ACCESS_BYTES, "bytes is not a whole number of 63 bits")           \
    X(ACCESS_NO_REFERER, "no referer and user agent")                   \
    X(ACCESS_NO_AGENT, "a referer but no user agent")

#define CRI_REASONS(X)                                              \
    X(CRI_NO_TIME, "no time at the start")                          \
    X(CRI_TIME_RANGE, "time out of range")                          \
    X(CRI_NO_STREAM, "no stream, stdout or stderr, after the time") \
    X(CRI_NO_TAG, "no tag, F or P, after the stream")

#define JSON_REASONS(X)                           \
    X(JSON_NO_OBJECT, "not a JSON object")        \
    X(JSON_MALFORMED, "malformed JSON")           \
    X(JSON_TOO_DEEP, "nested too deeply")         \
    X(JSON_NUMBER_RANGE, "a number out of range") \
    X(JSON_BUNDLE, "a bundle of records")

#define LOGFMT_REASONS(X)                               \
    X(LOGFMT_CONTROL, "a control character")            \
    X(LOGFMT_NO_PAIR, "no key=value pair at its start") \
    X(LOGFMT_NO_KEY, "a word that is not a key")        \
    X(LOGFMT_OPEN_QUOTE, "an unclosed quote")           \
    X(LOGFMT_QUOTE_WITHIN, "a quote within a word")     \
    X(LOGFMT_FEW_PAIRS, "more words than key=value pairs")

#define SYSLOG_REASONS(X)                                                           \
    X(SYSLOG_NO_SYSLOG, "no priority and no time at the start")                     \
    X(SYSLOG_PRIORITY, "priority is not a number from 0 to 191 in angle brackets")  \
    X(SYSLOG_TIME_FORM, "time is not yyyy-mm-ddTHH:MM:SS or a dash")                \
    X(SYSLOG_TIME_RANGE, "time out of range")                                       \
    X(SYSLOG_HEADER, "no host, application, process and message id after the time") \
    X(SYSLOG_NO_TAG, "no host and tag after the time")                              \
    X(SYSLOG_NO_MESSAGE, "no message")

#define APACHE_ERROR_REASONS(X)                           \
    X(APACHE_NO_TIME, "no time in brackets at the start") \
    X(APACHE_TIME_RANGE, "time out of range")             \
    X(APACHE_NO_LEVEL, "no level in brackets after the time")

#define NGINX_ERROR_REASONS(X)                                   \
    X(NGINX_NO_TIME, "no time yyyy/mm/dd HH:MM:SS at the start") \
    X(NGINX_TIME_RANGE, "time out of range")                     \
    X(NGINX_NO_LEVEL, "no level in brackets after the time")     \
    X(NGINX_NO_PROCESS, "no pid#tid after the level")

#define POSTGRESQL_REASONS(X) X(POSTGRESQL_NO_HEAD, "no log_line_prefix and level at the start")

#define PGCSV_REASONS(X)                               \
    X(PGCSV_NO_TIME, "no time and comma at the start") \
    X(PGCSV_TIME_RANGE, "time out of range")           \
    X(PGCSV_OPEN_QUOTE, "an unclosed quote")           \
    X(PGCSV_COLUMNS, "not 22 to 32 columns")

/* The fields of log_line_prefix: see postgresql/head.py. */
#define POSTGRESQL_FIELDS(X)   \
    X(PG_TIME, "TIME")         \
    X(PG_EPOCH, "EPOCH")       \
    X(PG_START, "START")       \
    X(PG_PID, "PID")           \
    X(PG_LEADER, "LEADER")     \
    X(PG_LINE, "LINE")         \
    X(PG_USER, "USER")         \
    X(PG_DATABASE, "DATABASE") \
    X(PG_APP, "APP")           \
    X(PG_REMOTE, "REMOTE")     \
    X(PG_HOST, "HOST")         \
    X(PG_LOCAL, "LOCAL")       \
    X(PG_BACKEND, "BACKEND")   \
    X(PG_TAG, "TAG")           \
    X(PG_CODE, "CODE")         \
    X(PG_SESSION, "SESSION")   \
    X(PG_VXID, "VXID")         \
    X(PG_XID, "XID")           \
    X(PG_QUERY_ID, "QUERY_ID") \
    X(PG_OTHER, "OTHER")

#define HAPROXY_REASONS(X)                                                          \
    X(HAPROXY_NO_CLIENT, "no client:port at the start")                             \
    X(HAPROXY_NO_TIME, "no time dd/Mon/yyyy:HH:MM:SS in brackets after the client") \
    X(HAPROXY_TIME_RANGE, "time out of range")                                      \
    X(HAPROXY_NO_SERVER, "no frontend and backend/server after the time")           \
    X(HAPROXY_TIMERS, "no three or five timers after the server")                   \
    X(HAPROXY_STATUS, "status is not a number of up to three digits")               \
    X(HAPROXY_BYTES, "bytes is not a whole number")                                 \
    X(HAPROXY_CONNECTIONS, "no five connections and two queues after the termination state")

#define ENVOY_REASONS(X)                                            \
    X(ENVOY_NO_TIME, "no time in brackets at the start")            \
    X(ENVOY_TIME_RANGE, "time out of range")                        \
    X(ENVOY_NO_REQUEST, "no quoted request after the time")         \
    X(ENVOY_STATUS, "status is not a number of up to three digits") \
    X(ENVOY_OPEN_QUOTE, "an unclosed quote")                        \
    X(ENVOY_COUNTS, "no bytes, durations and five quoted fields after the response flags")

#define KLOG_REASONS(X) X(KLOG_NO_HEAD, "no level, time, thread and source at the start")

#define LAYOUT_REASONS(X)                                                         \
    X(LAYOUT_NO_TEXT, "a text that the format has between its fields is missing") \
    X(LAYOUT_OPEN_QUOTE, "an unclosed quote")                                     \
    X(LAYOUT_TIME_FORM, "time is not as the format writes it")                    \
    X(LAYOUT_TIME_RANGE, "time out of range")                                     \
    X(LAYOUT_STATUS, "status is not a number of up to three digits")              \
    X(LAYOUT_BYTES, "bytes is not a whole number of 63 bits")                     \
    X(LAYOUT_MORE, "more than the format has")                                    \
    X(LAYOUT_NO_FIELDS, "no #Fields before it")                                   \
    X(LAYOUT_FEWER, "fewer fields than in #Fields")                               \
    X(LAYOUT_MORE_FIELDS, "more fields than in #Fields")

/* What the text of a field means: see Kind in layout/program.py. */
#define LAYOUT_KINDS(X)                        \
    X(KIND_SKIP, "SKIP")                       \
    X(KIND_TEXT, "TEXT")                       \
    X(KIND_USER, "USER")                       \
    X(KIND_NUMBER, "NUMBER")                   \
    X(KIND_REQUEST, "REQUEST")                 \
    X(KIND_STATUS, "STATUS")                   \
    X(KIND_BYTES, "BYTES")                     \
    X(KIND_AGENT, "AGENT")                     \
    X(KIND_STEM, "STEM")                       \
    X(KIND_QUERY, "QUERY")                     \
    X(KIND_STAMP, "STAMP")                     \
    X(KIND_ACCESS, "ACCESS")                   \
    X(KIND_ISO, "ISO")                         \
    X(KIND_EPOCH, "EPOCH")                     \
    X(KIND_YEAR, "YEAR")                       \
    X(KIND_YEAR_OF_CENTURY, "YEAR_OF_CENTURY") \
    X(KIND_MONTH, "MONTH")                     \
    X(KIND_MONTH_NAME, "MONTH_NAME")           \
    X(KIND_DAY, "DAY")                         \
    X(KIND_HOUR, "HOUR")                       \
    X(KIND_HOUR_OF_TWELVE, "HOUR_OF_TWELVE")   \
    X(KIND_HALF_DAY, "HALF_DAY")               \
    X(KIND_MINUTE, "MINUTE")                   \
    X(KIND_SECOND, "SECOND")                   \
    X(KIND_FRACTION, "FRACTION")               \
    X(KIND_ZONE, "ZONE")                       \
    X(KIND_DATE, "DATE")                       \
    X(KIND_TIME, "TIME")

/* Where a field ends: see Ending in layout/program.py. */
#define LAYOUT_ENDINGS(X)               \
    X(END_SIZED, "SIZED")               \
    X(END_LITERAL, "LITERAL")           \
    X(END_QUOTE, "QUOTE")               \
    X(END_LIST, "LIST")                 \
    X(END_ADDRESS, "ADDRESS")           \
    X(END_BEFORE_PROTO, "BEFORE_PROTO") \
    X(END_AFTER_PROTO, "AFTER_PROTO")   \
    X(END_SLASH, "SLASH")               \
    X(END_REST, "REST")

/* The columns that hold texts, in the order of TEXT_COLUMNS in layout/program.py. */
#define TEXT_COLUMNS(X)         \
    X(HOST, "host")             \
    X(IDENT, "ident")           \
    X(RUSER, "ruser")           \
    X(METHOD, "request_method") \
    X(ROUTE, "request_route")   \
    X(PROTO, "request_proto")   \
    X(REFERER, "referer")       \
    X(USER_AGENT, "user_agent") \
    X(SEVERITY, "severity")     \
    X(MESSAGE, "message")

/* The fields that a name can mean, in the order of FIELDS in names.py. */
#define NAMED_FIELDS(X)                 \
    X(FIELD_TIME, "ts")                 \
    X(FIELD_NANOSECONDS, "nanoseconds") \
    X(FIELD_SEVERITY, "severity")       \
    X(FIELD_MESSAGE, "message")         \
    X(FIELD_HOST, "host")               \
    X(FIELD_RUSER, "ruser")             \
    X(FIELD_REQUEST, "request")         \
    X(FIELD_METHOD, "request_method")   \
    X(FIELD_ROUTE, "request_route")     \
    X(FIELD_PROTO, "request_proto")     \
    X(FIELD_STATUS, "status_code")      \
    X(FIELD_BYTES, "response_bytes")    \
    X(FIELD_REFERER, "referer")         \
    X(FIELD_USER_AGENT, "user_agent")

/* The scale of severities, from the least to the most severe: see model/severity.py. */
#define SEVERITIES(X)                \
    X(SEVERITY_TRACE, "trace")       \
    X(SEVERITY_DEBUG, "debug")       \
    X(SEVERITY_INFO, "info")         \
    X(SEVERITY_NOTICE, "notice")     \
    X(SEVERITY_WARNING, "warning")   \
    X(SEVERITY_ERROR, "error")       \
    X(SEVERITY_CRITICAL, "critical") \
    X(SEVERITY_ALERT, "alert")       \
    X(SEVERITY_EMERGENCY, "emergency")

/* All spellings of each severity. */
#define SEVERITY_SPELLINGS(X)          \
    X(SEVERITY_TRACE, "trace")         \
    X(SEVERITY_TRACE, "trc")           \
    X(SEVERITY_TRACE, "trce")          \
    X(SEVERITY_TRACE, "trac")          \
    X(SEVERITY_TRACE, "verbose")       \
    X(SEVERITY_TRACE, "vrb")           \
    X(SEVERITY_TRACE, "verb")          \
    X(SEVERITY_TRACE, "finest")        \
    X(SEVERITY_TRACE, "silly")         \
    X(SEVERITY_TRACE, "trace2")        \
    X(SEVERITY_TRACE, "trace3")        \
    X(SEVERITY_TRACE, "trace4")        \
    X(SEVERITY_TRACE, "debug-4")       \
    X(SEVERITY_DEBUG, "debug")         \
    X(SEVERITY_DEBUG, "dbg")           \
    X(SEVERITY_DEBUG, "dbug")          \
    X(SEVERITY_DEBUG, "debu")          \
    X(SEVERITY_DEBUG, "fine")          \
    X(SEVERITY_DEBUG, "finer")         \
    X(SEVERITY_DEBUG, "config")        \
    X(SEVERITY_DEBUG, "debug1")        \
    X(SEVERITY_DEBUG, "debug2")        \
    X(SEVERITY_DEBUG, "debug3")        \
    X(SEVERITY_DEBUG, "debug4")        \
    X(SEVERITY_DEBUG, "debug5")        \
    X(SEVERITY_INFO, "info")           \
    X(SEVERITY_INFO, "inf")            \
    X(SEVERITY_INFO, "information")    \
    X(SEVERITY_INFO, "informational")  \
    X(SEVERITY_INFO, "informative")    \
    X(SEVERITY_INFO, "log")            \
    X(SEVERITY_INFO, "info2")          \
    X(SEVERITY_INFO, "info3")          \
    X(SEVERITY_INFO, "info4")          \
    X(SEVERITY_NOTICE, "notice")       \
    X(SEVERITY_NOTICE, "note")         \
    X(SEVERITY_NOTICE, "ntc")          \
    X(SEVERITY_NOTICE, "notification") \
    X(SEVERITY_NOTICE, "success")      \
    X(SEVERITY_NOTICE, "info+2")       \
    X(SEVERITY_WARNING, "warning")     \
    X(SEVERITY_WARNING, "warn")        \
    X(SEVERITY_WARNING, "wrn")         \
    X(SEVERITY_WARNING, "warni")       \
    X(SEVERITY_WARNING, "warnings")    \
    X(SEVERITY_WARNING, "warn2")       \
    X(SEVERITY_WARNING, "warn3")       \
    X(SEVERITY_WARNING, "warn4")       \
    X(SEVERITY_ERROR, "error")         \
    X(SEVERITY_ERROR, "err")           \
    X(SEVERITY_ERROR, "erro")          \
    X(SEVERITY_ERROR, "eror")          \
    X(SEVERITY_ERROR, "severe")        \
    X(SEVERITY_ERROR, "fail")          \
    X(SEVERITY_ERROR, "failure")       \
    X(SEVERITY_ERROR, "error2")        \
    X(SEVERITY_ERROR, "error3")        \
    X(SEVERITY_ERROR, "error4")        \
    X(SEVERITY_CRITICAL, "critical")   \
    X(SEVERITY_CRITICAL, "crit")       \
    X(SEVERITY_CRITICAL, "crt")        \
    X(SEVERITY_CRITICAL, "fatal")      \
    X(SEVERITY_CRITICAL, "ftl")        \
    X(SEVERITY_CRITICAL, "fata")       \
    X(SEVERITY_CRITICAL, "dpanic")     \
    X(SEVERITY_CRITICAL, "panic")      \
    X(SEVERITY_CRITICAL, "pani")       \
    X(SEVERITY_CRITICAL, "pnc")        \
    X(SEVERITY_CRITICAL, "fatal2")     \
    X(SEVERITY_CRITICAL, "fatal3")     \
    X(SEVERITY_CRITICAL, "fatal4")     \
    X(SEVERITY_CRITICAL, "error+4")    \
    X(SEVERITY_ALERT, "alert")         \
    X(SEVERITY_ALERT, "alrt")          \
    X(SEVERITY_EMERGENCY, "emergency") \
    X(SEVERITY_EMERGENCY, "emerg")     \
    X(SEVERITY_EMERGENCY, "emrg")

/* How formats write severities: see NOTATIONS in severity.py. */
#define SEVERITY_NOTATIONS(X)                  \
    X(NOTATION_WORDS, "words")                 \
    X(NOTATION_SYSLOG, "syslog")               \
    X(NOTATION_OPENTELEMETRY, "opentelemetry") \
    X(NOTATION_PYTHON, "python")               \
    X(NOTATION_LOG4J, "log4j")                 \
    X(NOTATION_LOGBACK, "logback")             \
    X(NOTATION_WINDOWS, "windows")             \
    X(NOTATION_NEXTCLOUD, "nextcloud")         \
    X(NOTATION_MONGODB, "mongodb")             \
    X(NOTATION_POSTGRESQL, "postgresql")       \
    X(NOTATION_KEYWORDS, "keywords")           \
    X(NOTATION_APPLE, "apple")                 \
    X(NOTATION_LISTED, "listed")

/* When a name means its field: see RULES in names.py. */
#define NAME_RULES(X)                \
    X(RULE_SURE, "")                 \
    X(RULE_REQUEST, "request")       \
    X(RULE_NO_REQUEST, "no request") \
    X(RULE_METHOD, "method")         \
    X(RULE_SENDER, "sender")

/* What a name says about the whole line: see SIGNS in names.py. */
#define NAME_SIGNS(X)              \
    X(SIGN_GELF, "gelf")           \
    X(SIGN_LOGSTASH, "logstash")   \
    X(SIGN_NEXTCLOUD, "nextcloud") \
    X(SIGN_WINDOWS, "windows")     \
    X(SIGN_MONGODB, "mongodb")     \
    X(SIGN_CLEF, "clef")           \
    X(SIGN_DATADOG, "datadog")     \
    X(SIGN_APPLE, "apple")

enum { ACCESS_VARIANTS(AS_NUMBER) };
enum { ACCESS_REASONS(AS_NUMBER) };
enum { CRI_REASONS(AS_NUMBER) };
enum { JSON_REASONS(AS_NUMBER) };
enum { LOGFMT_REASONS(AS_NUMBER) };
enum { SYSLOG_REASONS(AS_NUMBER) };
enum { APACHE_ERROR_REASONS(AS_NUMBER) };
enum { NGINX_ERROR_REASONS(AS_NUMBER) };
enum { POSTGRESQL_REASONS(AS_NUMBER) };
enum { PGCSV_REASONS(AS_NUMBER) };
enum { POSTGRESQL_FIELDS(AS_NUMBER) PG_FIELDS /* the number of fields */ };
enum { HAPROXY_REASONS(AS_NUMBER) };
enum { ENVOY_REASONS(AS_NUMBER) };
enum { KLOG_REASONS(AS_NUMBER) };
enum { LAYOUT_REASONS(AS_NUMBER) };
enum { LAYOUT_KINDS(AS_NUMBER) };
enum { LAYOUT_ENDINGS(AS_NUMBER) };
enum { TEXT_COLUMNS(AS_NUMBER) TEXTS /* the number of columns */ };
enum { SEVERITIES(AS_NUMBER) };
enum { SEVERITY_NOTATIONS(AS_NUMBER) };
enum { NAME_RULES(AS_NUMBER) };
enum { NAME_SIGNS(AS_NUMBER) };
enum { FIELD_NONE, NAMED_FIELDS(AS_NUMBER) FIELDS /* the number of fields, FIELD_NONE included */ };

#endif
