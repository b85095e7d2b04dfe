-- Stored instants are in the future if the clock was set back. They are moved to now, so that no job waits until the
-- clock shows the old time again, and no old report looks new. stores/duckdb/engine/clock.py does the same.

-- Moves the instants of one alert, or of all alerts. The caller must have the evaluator's lock.
CREATE OR REPLACE FUNCTION puppylog.rebase_alerts(now timestamptz, id integer DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, puppylog, pg_temp AS $$
    UPDATE puppylog.alert_states AS s
    SET since = least(s.since, rebase_alerts.now),
        clear_since = CASE WHEN s.clear_since IS NOT NULL THEN least(s.clear_since, rebase_alerts.now) END,
        evaluated_at = least(s.evaluated_at, rebase_alerts.now),
        seen_at = CASE WHEN s.seen_at IS NOT NULL THEN least(s.seen_at, rebase_alerts.now) END
    WHERE s.alert_id = coalesce(rebase_alerts.id, s.alert_id) AND s.evaluated_at > rebase_alerts.now;
    UPDATE puppylog.alerts AS a SET evaluated_at = rebase_alerts.now
    WHERE a.id = coalesce(rebase_alerts.id, a.id) AND a.evaluated_at > rebase_alerts.now;
$$;

-- Lowers the watermarks of rollups, so that buckets that are not final are computed when they are read; but not below
-- buckets whose records may have been dropped, which could not be computed again. The watermark of a continuous aggregate
-- stays, because TimescaleDB cannot lower it. The caller must have the refresher's lock.
CREATE OR REPLACE FUNCTION puppylog.rebase_metrics(now timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    ahead record;
BEGIN
    FOR ahead IN
        SELECT m.id, least(m.watermark, greatest(
                   puppylog.floor_to(rebase_metrics.now - make_interval(secs => greatest(m.period_s, 2)), m.period_s),
                   puppylog.ceil_to(puppylog.oldest_kept(m.watermark), m.period_s) + make_interval(secs => 2 * m.period_s)
               )) AS watermark
        FROM puppylog.metrics AS m WHERE m.kind = 'rollup' AND m.watermark > rebase_metrics.now
        FOR UPDATE
    LOOP
        EXECUTE format('DELETE FROM puppylog.rollup_%s WHERE bucket >= $1', ahead.id) USING ahead.watermark;
        UPDATE puppylog.metrics AS m SET watermark = ahead.watermark WHERE m.id = ahead.id;
        PERFORM puppylog.lower_levels(ahead.id, ahead.watermark);
    END LOOP;
    UPDATE puppylog.metrics AS m SET refreshed_at = rebase_metrics.now WHERE m.refreshed_at > rebase_metrics.now;
END
$$;

-- Records by how much the clock was set back. NTP sets a clock back by small steps all the time, so steps of less than
-- two seconds are not recorded.
CREATE OR REPLACE FUNCTION puppylog.note_clock_step(part text, now timestamptz, latest timestamptz, rebased bigint)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, puppylog, pg_temp AS $$
    INSERT INTO puppylog.clock_steps AS c (part, noticed_at, back_s, rebased)
    SELECT note_clock_step.part, note_clock_step.now, EXTRACT(epoch FROM latest - note_clock_step.now),
           note_clock_step.rebased
    WHERE latest - note_clock_step.now >= interval '2 seconds'
    ON CONFLICT ON CONSTRAINT clock_steps_pkey DO UPDATE
    SET noticed_at = excluded.noticed_at, back_s = excluded.back_s, rebased = excluded.rebased
$$;

-- Moves all future instants to now. If another session evaluates or refreshes, its instants are left to the next call.
CREATE OR REPLACE FUNCTION puppylog.rebase_clock(now timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    SELECT max(a.evaluated_at) AS latest, count(*) AS rebased INTO found
    FROM puppylog.alerts AS a WHERE a.evaluated_at > rebase_clock.now;
    IF found.rebased > 0 AND pg_try_advisory_xact_lock(1885697639, 2) THEN
        PERFORM puppylog.rebase_alerts(rebase_clock.now);
        PERFORM puppylog.note_clock_step('alerts', rebase_clock.now, found.latest, found.rebased);
    END IF;
    SELECT max(CASE WHEN m.kind = 'rollup' THEN greatest(m.watermark, m.refreshed_at) ELSE m.refreshed_at END) AS latest,
           count(*) AS rebased INTO found
    FROM puppylog.metrics AS m
    WHERE m.refreshed_at > rebase_clock.now OR (m.kind = 'rollup' AND m.watermark > rebase_clock.now);
    IF found.rebased > 0 AND pg_try_advisory_xact_lock(1885697639, 4) THEN
        PERFORM puppylog.rebase_metrics(rebase_clock.now);
        PERFORM puppylog.note_clock_step('metrics', rebase_clock.now, found.latest, found.rebased);
    END IF;
    SELECT max(r.reported_at) AS latest, count(*) AS rebased INTO found
    FROM puppylog.stream_reports AS r WHERE r.reported_at > rebase_clock.now;
    IF found.rebased > 0 THEN -- the durations in a report stay the same
        UPDATE puppylog.stream_reports AS r
        SET reported_at = rebase_clock.now, stored_at = r.stored_at - (r.reported_at - rebase_clock.now),
            behind_since = r.behind_since - (r.reported_at - rebase_clock.now)
        WHERE r.reported_at > rebase_clock.now;
        PERFORM puppylog.note_clock_step('reports', rebase_clock.now, found.latest, found.rebased);
    END IF;
    SELECT max(h.beat_at) AS latest, count(*) AS rebased INTO found
    FROM puppylog.heartbeat AS h WHERE h.beat_at > rebase_clock.now;
    IF found.rebased > 0 THEN
        UPDATE puppylog.heartbeat AS h SET beat_at = rebase_clock.now WHERE h.beat_at > rebase_clock.now;
        PERFORM puppylog.note_clock_step('heartbeat', rebase_clock.now, found.latest, found.rebased);
    END IF;
    SELECT max(greatest(n.created_at, n.tried_at)) AS latest, count(*) AS rebased INTO found
    FROM puppylog.notifications AS n WHERE n.created_at > rebase_clock.now OR n.tried_at > rebase_clock.now;
    IF found.rebased > 0 THEN -- the time that a row waits stays the same
        UPDATE puppylog.notifications AS n
        SET due_at = n.due_at - (greatest(n.created_at, n.tried_at) - rebase_clock.now),
            created_at = least(n.created_at, rebase_clock.now),
            tried_at = CASE WHEN n.tried_at IS NOT NULL THEN least(n.tried_at, rebase_clock.now) END,
            sent_at = CASE WHEN n.sent_at IS NOT NULL THEN least(n.sent_at, rebase_clock.now) END
        WHERE n.created_at > rebase_clock.now OR n.tried_at > rebase_clock.now;
        PERFORM puppylog.note_clock_step('notifications', rebase_clock.now, found.latest, found.rebased);
    END IF;
    SELECT max(r.received_at) AS latest, count(*) AS rebased INTO found
    FROM puppylog.received_requests AS r WHERE r.received_at > rebase_clock.now;
    IF found.rebased > 0 THEN
        UPDATE puppylog.received_requests AS r SET received_at = rebase_clock.now WHERE r.received_at > rebase_clock.now;
        PERFORM puppylog.note_clock_step('requests', rebase_clock.now, found.latest, found.rebased);
    END IF;
    UPDATE puppylog.clock_steps AS c SET noticed_at = rebase_clock.now WHERE c.noticed_at > rebase_clock.now;
END
$$;
