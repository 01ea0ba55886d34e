"""Adam that is Keras' own in everything but speed."""

from typing import Any

import keras

from keras_seq.keras_internals import adam_moments


@keras.saving.register_keras_serializable("keras_seq")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma and Ba 2014, arXiv:1412.6980) by TensorFlow's one fused operation.

    Arguments, numbers (to the last places) and slots are Keras'; `portable` puts Keras'
    own in its place where a model must load without keras_seq. Keras walks
    over each weight and its two moments some ten times a step, here it is once: with a
    large embedding, most of what the optimizer costs. What the operation does not cover
    (amsgrad, several devices, other dtypes than float32, other backends) goes Keras'
    way.

    One number differs: of a row that stands in a batch twice, as the vector of a word
    does, Keras on TensorFlow (3.15) sums the squares of both gradients into the second
    moment; here it is the square of their sum, as in the paper and on Keras' other
    backends.

    Example:

    >>> weights = keras.Variable([1.0, 2.0])
    >>> optimizer = Adam(0.1)
    >>> optimizer.apply([keras.ops.array([0.5, -0.5])], [weights])
    >>> [round(float(weight), 4) for weight in weights.numpy()]
    [0.9, 2.1]
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not self._fused(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        first, second = adam_moments(self, variable)
        if isinstance(variable, keras.Variable):
            variable = variable.value
        step = tf.cast(self.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first.value.handle,
            v=second.value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, "float32"),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),
        )

    def _fused(self, variable: Any) -> bool:
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return False
        import tensorflow as tf

        dtype = keras.backend.standardize_dtype(variable.dtype)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return dtype == "float32" and replicas == 1
