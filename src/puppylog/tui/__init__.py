"""What a terminal shows: tables, charts, live views. Log text is hostile and is cleaned here."""
