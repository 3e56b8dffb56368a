// The names of the formats that samples are written in; what writes them is in sink.ts.

export const SINK_FORMATS = ['webdataset', 'parquet', 'jsonl'] as const;
export type SinkFormat = (typeof SINK_FORMATS)[number];
