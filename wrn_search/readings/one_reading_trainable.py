"""The trainable of networks that are tested: after the last epoch it asks for the test split, and reads it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from wrn_search.errors import InputError
from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.space.trial_config import TrialConfig

if TYPE_CHECKING:
    from wrn_search.space.dataset_section import DatasetSettings
    from wrn_search.training.batches_of_a_split import EvaluationSource
    from wrn_search.training.training_loop import Training


class OneReadingTrainable(WideResNetTrainable):
    """Trains like any trial. Who lets it go on after its last epoch lets it measure its test error.

    That takes two steps: `{"test": {"asks": True}}`, whose answer is on record before a test file is opened, then
    `{"test": {"test_loss", "test_error", "images", "by_class"}}`. Test files that cannot be read end the whole
    session as a disk does (`unreadable`): the networks are trained, and go on from there once the files are mended.
    """

    _of_test_split: ClassVar[dict[tuple[DatasetSettings, str, int], EvaluationSource]] = {}  # of the process

    def setup(self, config: dict[str, Any]) -> None:
        """The next trial has not asked yet."""
        super().setup(config)
        self._has_asked = False

    def _epoch(self) -> dict[str, Any]:
        if self._reported < self._assignment["trial"]["epochs"] or not self._is_trained():
            return super()._epoch()
        if not self._has_asked:
            self._rehearse()
            self._has_asked = True
            return {"test": {"asks": True}}
        return self._test()

    def _is_trained(self) -> bool:
        """Whether the network of the last epoch is there; a lost checkpoint means training it again."""
        from wrn_search.training.checkpoints.checkpoint_file import CheckpointError

        try:
            training = self._training = self._training or self._build()
        except CheckpointError:
            return False  # told by the step of an epoch, which meets it too
        return training.epoch >= training.config.epochs

    def _rehearse(self) -> None:
        """A pass over a batch of nothing: where memory is wanting, that shows before the test split is opened."""
        training = self._training
        assert training is not None, "asking builds it"
        shape = self._data[training.config.dataset].image_shape
        training.rehearse(training.evaluated_at_once, shape)

    def _test(self) -> dict[str, Any]:
        from wrn_search.training.divergence import Diverged
        from wrn_search.training.loss import CountsByClass

        training = self._training
        assert training is not None, "asking builds it"
        by_class = CountsByClass(self._data[training.config.dataset].num_classes, training.device)
        try:
            batches = self._batches(training)
        except InputError as error:
            return {"unreadable": {"error": f"the test split: {error}"}}
        try:
            loss, error_percent = training.evaluate(batches, training.epoch, "test loss", by_class)
        except Diverged as divergence:
            return {"diverged": {"epoch": divergence.epoch, "error": divergence.text}}
        images = batches.num_images
        told = {"test_loss": loss, "test_error": error_percent, "images": images}
        return {"test": told | {"by_class": by_class.to_dict()}}

    def _batches(self, training: Training) -> EvaluationSource:
        """The test images in batches of the size of those of validation, decoded once a process.

        Raises:
            InputError: they are not as they must be.
        """
        from wrn_search.images.held_out_test_images import batches_of_test_split
        from wrn_search.images.streamed.decoding_workers import decoding_workers

        dataset = TrialConfig.from_dict(self._assignment["trial"]).dataset
        batch_size = training.evaluated_at_once
        key = dataset, str(training.device), batch_size
        if key not in self._of_test_split:
            data = self._data[dataset]
            threads, device = self._assignment["threads"], training.device
            workers = decoding_workers(threads, on_gpu=device.type == "cuda")
            self._of_test_split[key] = batches_of_test_split(dataset, data, batch_size, device, workers)
        return self._of_test_split[key]
