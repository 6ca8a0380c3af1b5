"""A whole update of `learn`: batch, network, model, loss, backward, optimiser."""

import xdpl

from .ratios import ratio


class Learn:
    """Two epochs of `vic` on a synthetic world, with kernels and with eager PyTorch."""

    params = [["vic"], [6, 20]]
    param_names = ["model", "side of the grid"]
    unit = "times faster than eager PyTorch"
    timeout = 600

    def setup(self, model, side):
        self.ds = xdpl.data.twin(shape=(side, side), years=1)

    def learn(self, model, engine):
        return self.ds.dpl.learn(
            model, target="soil_moisture", attributes=["sand"], epochs=2, engine=engine, progress=False
        )

    def track_against_eager(self, model, side):
        return ratio(lambda: self.learn(model, "numba"), lambda: self.learn(model, "array"))
