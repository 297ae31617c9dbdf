"""Reads a histogram log with HdrHistogram's Python implementation, and prints as JSON what it has:
for each tag (the empty one for rows without) the number of rows, the count and the percentiles."""

import json
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

MAX_US = 3_600_000_000
DIGITS = 3


def read(path):
    reader = HistogramLogReader(path, HdrHistogram(1, MAX_US, DIGITS))
    sums = {}
    rows = {}
    while (interval := reader.get_next_interval_histogram()) is not None:
        tag = interval.get_tag() or ""
        rows[tag] = rows.get(tag, 0) + 1
        sums.setdefault(tag, HdrHistogram(1, MAX_US, DIGITS)).add(interval)
    result = {"started": reader.get_start_time_sec()}
    for tag, histogram in sums.items():
        result[tag] = {
            "rows": rows[tag],
            "count": histogram.get_total_count(),
            "p50": histogram.get_value_at_percentile(50),
            "p90": histogram.get_value_at_percentile(90),
            "p99": histogram.get_value_at_percentile(99),
            "max": histogram.get_max_value(),
        }
    return result


print(json.dumps(read(sys.argv[1])))
