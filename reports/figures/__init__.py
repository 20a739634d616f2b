"""The figures of the report, one a file: ``collect`` gathers plain data, ``draw`` makes a plotly figure."""
