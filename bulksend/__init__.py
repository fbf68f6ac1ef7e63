"""Send an SMS campaign from a spreadsheet through engageSPARK's Send SMS API."""

__version__ = "0.1.0"
