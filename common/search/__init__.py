"""Search: a proposer of candidates (`grid`), an engine that scores them (`mllib`), `result`."""
