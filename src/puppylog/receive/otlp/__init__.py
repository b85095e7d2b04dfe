"""OTLP: log records as OpenTelemetry's SDKs and collectors send them, in protobuf or in JSON.

Each log record becomes a line of JSON, and the reader of the format ``json`` reads the lines. So a name means the same
in an attribute as in a line of JSON: ``http.request.method`` fills a column, ``cart.items`` stays an attribute. The
lines are kept as the bytes of the records: a store that refuses a row, and `puppylog rejects replay`, find there what
was received.

- The time is ``time_unix_nano``, else ``observed_time_unix_nano``, else the time of receipt.
- The body becomes the message. If the body is a map with a ``message``, the rest of the map is the attribute ``body``;
  other maps and lists become JSON. Bytes become base64.
- The attributes of the record, of its scope and of its resource become attributes of one object. If two of them have
  the same key, the one of the record keeps the key, and the other one gets a prefix: ``scope.`` or ``resource.``.
- The source is the resource's ``service.name``.
"""

from puppylog.receive.otlp.json_request import decode_json
from puppylog.receive.otlp.protobuf_request import decode_protobuf

__all__ = ["decode_json", "decode_protobuf"]
