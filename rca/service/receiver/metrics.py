"""Figures of the service for Prometheus."""

from rca.service.ledger import Ledger


class Metrics:
    """Counts of deliveries by hook and answer, and gauges of the ledger, in a registry of their own."""

    def __init__(self, ledger: Ledger) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge

        self.ledger, self.registry = ledger, CollectorRegistry()
        says = "Deliveries by hook and by what was answered."
        self._deliveries = Counter("rca_deliveries", says, ["hook", "answer"], registry=self.registry)
        says = "Rows of the ledger, by what they are."
        self._ledger = Gauge("rca_ledger", says, ["what"], registry=self.registry)

    def delivery(self, hook: str, answer: str) -> None:
        """Count a delivery; a hook that is none counts under an empty name."""
        self._deliveries.labels(hook, answer).inc()

    def text(self) -> bytes:
        """The figures in Prometheus' own format."""
        from prometheus_client import generate_latest

        for what, count in self.ledger.counts().items():
            self._ledger.labels(what).set(count)
        return generate_latest(self.registry)
