"""The Chinese words of the domain: one dictionary for each vocabulary, one sentence for each error.

`components.labels` looks them up; a word stands with the field it belongs to.
"""
