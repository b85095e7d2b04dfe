-- Labels of a stream: a JSON object of texts, such as {"namespace": "shop", "pod": "cart-7d9f"}.
ALTER TABLE puppylog.log_streams ADD COLUMN labels JSON DEFAULT '{}';
ALTER TABLE puppylog.log_streams ALTER COLUMN labels SET NOT NULL;
