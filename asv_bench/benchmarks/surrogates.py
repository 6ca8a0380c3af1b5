"""Learning without the gradients of the model, against learning with them."""

import xdpl
from xdpl.gradients import SPSA, FiniteDifferences
from xdpl.networks import LSTM
from xdpl.surrogate import design, emulate

from .ratios import ratio


class Epochs:
    """Two epochs of `vic` through its own adjoint, and in another way."""

    params = [["surrogate", "finite differences", "spsa"], [4, 20]]
    param_names = ["way", "side of the grid"]
    unit = "times the time of the adjoint"
    timeout = 600

    def setup(self, way, side):
        self.ds = xdpl.data.twin(shape=(side, side), years=1)
        self.gradients = {"finite differences": FiniteDifferences(central=False), "spsa": SPSA()}.get(way)
        if way == "surrogate":
            theta = design(self.ds, "vic", 2)
            runs = self.ds.dpl.simulate("vic", theta, outputs=["soil_moisture"])
            # How well it imitates does not matter to how long it takes.
            self.gradients = emulate(self.ds, "vic", theta, runs, network=LSTM(64), epochs=1, progress=False)

    def learn(self, gradients):
        return self.ds.dpl.learn(
            "vic",
            target="soil_moisture",
            attributes=["sand"],
            epochs=2,
            gradients=gradients,
            progress=False,
        )

    def track_against_the_adjoint(self, way, side):
        return ratio(lambda: self.learn(None), lambda: self.learn(self.gradients))
