"""Where an update of streamflow learning spends its time: network, kernel, routing, the rest."""

import numpy as np
import torch

from xdpl import engines
from xdpl.models.hbv import HBV
from xdpl.networks import LSTM, MLP, Hybrid
from xdpl.networks.assemble import assemble
from xdpl.networks.columns import Columns
from xdpl.networks.reading import weather
from xdpl.networks.scaling import Moments, Scaling
from xdpl.training.forward import Forward
from xdpl.training.losses import Spread
from xdpl.training.objective import Objective
from xdpl.training.samples import Samples

from .ratios import seconds

NETWORKS = {"mlp": MLP(), "lstm": LSTM(64), "lstm-256": LSTM(256), "hybrid": Hybrid(32)}
WARMUP = WINDOW = 365
MEMBERS = 16
ATTRIBUTES = 76


class Update:
    """One update: 100 basins, a year after a year of warm-up, 16 members."""

    params = list(NETWORKS)
    param_names = ["network"]
    unit = "share of the update"

    def setup(self, network, sites=100):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        days, spec = 4 * 365, NETWORKS[network]
        shape = (days, sites)
        forcings = {
            "precipitation": rng.gamma(0.3, 8.0, shape),
            "air_temperature": 10 + 12 * np.sin(np.arange(days)[:, None] / 58) + rng.normal(0, 3, shape),
            "potential_evapotranspiration": 2 + 2 * np.sin(np.arange(days)[:, None] / 58) * np.ones(shape),
        }
        forcings = {k: torch.tensor(v, dtype=torch.float32) for k, v in forcings.items()}
        still = Moments(np.zeros(ATTRIBUTES), np.ones(ATTRIBUTES))
        moments = Moments(
            *(np.array([float(f(v)) for v in forcings.values()]) for f in (torch.mean, torch.std))
        )
        scaling = Scaling(still, moments, Moments(np.zeros(0), np.ones(0)))
        self.model = HBV("capillary", snow_range=2.0)
        dynamic = ["beta", "betaet", "k0"] if spec.reads_forcings else []
        columns = Columns.of(self.model, MEMBERS, dynamic)
        names = [f"attribute {i}" for i in range(ATTRIBUTES)]
        self.network = assemble(spec, self.model, columns, scaling, names, ["streamflow"])
        self.samples = Samples(
            forcings,
            {"streamflow": torch.rand(shape)},
            {"streamflow": Spread(torch.ones(sites), 1.0)},
            torch.randn(sites, ATTRIBUTES),
            weather(forcings, scaling) if spec.reads_forcings else None,
        )
        self.optimiser = torch.optim.AdamW(self.network.parameters())
        self.draw = torch.arange(sites), torch.randint(WARMUP, days - WINDOW, (sites,))
        self.batch = self.samples.cut(*self.draw, WARMUP, WINDOW)
        self.forward = Forward(self.model, self.network, ("streamflow",), "numba")
        with torch.no_grad():
            self.values = self.network(self.batch.inputs)

    def whole(self):
        """What the training loop does."""
        self.optimiser.zero_grad()
        simulated = self.forward(self.samples.cut(*self.draw, WARMUP, WINDOW))
        answers = self.samples.answers(*self.draw, WINDOW)
        Objective({"streamflow": "nse"}, {"streamflow": 1.0})(simulated, answers).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()

    def network_alone(self):
        """Forward and backward, without a process model behind it."""
        sum(v.sum() for v in self.network(self.batch.inputs).values()).backward()

    def model_alone(self, routing="gamma"):
        """Forward and backward, from parameters that are given."""
        model = HBV("capillary", snow_range=2.0, routing=routing)
        names = [p.name for p in model.parameters]
        values = {k: self.values[k].detach().requires_grad_() for k in names}
        series, _ = engines.run(
            "numba",
            model,
            self.batch.forcings,
            values,
            outputs=("streamflow",),
            members=MEMBERS,
            states=False,
        )
        series["streamflow"].sum().backward()

    def shares(self, repeat=5):
        """Seconds of an update and of its parts."""
        whole, network, model, kernel = (
            seconds(f, repeat=repeat)
            for f in (
                self.whole,
                self.network_alone,
                self.model_alone,
                lambda: self.model_alone(routing=None),
            )
        )
        return {
            "update": whole,
            "network": network,
            "kernel": kernel,
            "routing": max(0.0, model - kernel),
            "overhead": whole - network - model,
        }

    def track_share_of_the_process_model(self, network):
        parts = self.shares()
        return (parts["kernel"] + parts["routing"]) / parts["update"]
