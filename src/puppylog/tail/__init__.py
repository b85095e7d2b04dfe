"""Files to chunks of whole lines with positions, through rotation and truncation. Knows no format and no store."""
