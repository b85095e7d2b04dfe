-- The number of OpenTelemetry of a severity, however it is spelt; null if the word is no severity. A test compares the
-- spellings with those of model/severity.py.
CREATE OR REPLACE FUNCTION puppylog.severity_number(word text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN lower(word) IN ('trace', 'trc', 'trce', 'trac', 'verbose', 'vrb', 'verb', 'finest', 'silly',
            'trace2', 'trace3', 'trace4', 'debug-4') THEN 1
        WHEN lower(word) IN ('debug', 'dbg', 'dbug', 'debu', 'fine', 'finer', 'config', 'debug1', 'debug2',
            'debug3', 'debug4', 'debug5') THEN 5
        WHEN lower(word) IN ('info', 'inf', 'information', 'informational', 'informative', 'log', 'info2',
            'info3', 'info4') THEN 9
        WHEN lower(word) IN ('notice', 'note', 'ntc', 'notification', 'success', 'info+2') THEN 10
        WHEN lower(word) IN ('warning', 'warn', 'wrn', 'warni', 'warnings', 'warn2', 'warn3', 'warn4') THEN 13
        WHEN lower(word) IN ('error', 'err', 'erro', 'eror', 'severe', 'fail', 'failure', 'error2', 'error3',
            'error4') THEN 17
        WHEN lower(word) IN ('critical', 'crit', 'crt', 'fatal', 'ftl', 'fata', 'dpanic', 'panic', 'pani',
            'pnc', 'fatal2', 'fatal3', 'fatal4', 'error+4') THEN 18
        WHEN lower(word) IN ('alert', 'alrt') THEN 19
        WHEN lower(word) IN ('emergency', 'emerg', 'emrg') THEN 21
    END
$$;
