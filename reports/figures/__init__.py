"""The figures of the report, one per file: ``collect`` gathers plain data, ``draw`` makes a plotly figure."""
