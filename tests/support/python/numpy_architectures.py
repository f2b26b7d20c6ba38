"""What architectures add to llama, as numbers that numpy_llama computes with: from the published model code and the
keys that converters write, not from pillar's sources."""

import numpy as np


class Rope:
    """Radians a position for each pair of a head's first n_dims dimensions; cos and sin are `magnitude` times as
    long."""

    def __init__(self, n_dims, base, factor=1.0, kind="none", factors=None, magnitude=1.0, original=0, of=None):
        pair = np.arange(n_dims // 2, dtype=np.float64)
        frequency = base ** (-2.0 * pair / max(n_dims, 1))
        if factors is not None:
            frequency = frequency / factors.astype(np.float64)
        self.n_dims, self.frequency, self.magnitude = n_dims, frequency, magnitude
        if kind in ("linear", "longrope"):
            self.frequency = frequency / factor
        if kind != "yarn":
            return

        def dimension(turns):
            return n_dims * np.log(original / (turns * 2 * np.pi)) / (2 * np.log(base))

        low = max(0.0, np.floor(dimension(of("rope.scaling.yarn_beta_fast", 32.0))))
        high = min(n_dims - 1.0, np.ceil(dimension(of("rope.scaling.yarn_beta_slow", 1.0))))
        extrapolate = 1.0 - np.clip((pair - low) / max(0.001, high - low), 0.0, 1.0)
        self.frequency = frequency / factor * (1 - extrapolate) + frequency * extrapolate
        stretch = 0.1 * np.log(max(1.0, factor))
        stretched = (1.0 + stretch) / (1.0 + of("rope.scaling.yarn_log_multiplier", 0.0) * stretch)
        self.magnitude *= of("rope.scaling.yarn_attn_factor", stretched)  # as transformers take an attention_factor


class Architecture:
    """Of the file's general.architecture. `of` gives a key's value, or a default; `tensor` a vector of the file, or
    None; n_context is that of the run."""

    KNOWN = ("llama", "qwen2", "qwen3", "qwen3moe", "gpt-oss", "gemma2", "gemma3", "phi3", "smollm3", "granite", "mistral3",
             "olmo2")
    PERIODS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "olmo2": 4}  # of layers, the last of which has no window
    HALF_PAIRS = ("qwen2", "qwen3", "qwen3moe", "gpt-oss", "gemma2", "gemma3", "phi3", "olmo2")

    def __init__(self, name, of, tensor, head_dim, n_context=None):
        assert name in self.KNOWN, name
        gemma = name.startswith("gemma")
        dim, n_heads, n_layers = of("embedding_length"), of("attention.head_count"), of("block_count")
        self.name, self.n_layers = name, n_layers
        self.has_half_pairs = name in self.HALF_PAIRS
        self.has_head_norms = name in ("qwen3", "qwen3moe", "gemma3")
        self.has_joint_norms = name == "olmo2"  # of queries and keys, over all heads of a row
        self.has_pre_norms = name != "olmo2"
        self.has_post_norms = gemma or name == "olmo2"
        self.has_gelu = gemma
        self.fused = name == "phi3"
        self.embedding_scale = np.sqrt(np.float32(dim)).astype(np.float64) if gemma else 1.0
        self.residual_scale, self.logit_scale, self.logit_cap, self.score_cap = 1.0, 1.0, 0.0, 0.0
        self.score_scale = 1 / np.sqrt(head_dim)
        self.windows = [0] * n_layers
        self.temperature = (0.0, 1.0)
        self.ropes = [self.shared_rope(of, tensor, head_dim, n_context)] * n_layers
        if gemma and n_layers == (62 if name == "gemma3" else 46):
            self.score_scale = 1 / np.sqrt(dim // n_heads)
        if name in self.PERIODS:
            window = of("attention.sliding_window", 4096 if name == "gemma2" else 0)
            self.windows = [window if has_one else 0 for has_one in self.windowed(of, self.PERIODS[name], n_layers)]
            base = of("rope.freq_base_swa", 10000.0 if name == "gemma3" else of("rope.freq_base", 10000.0))
            local = Rope(self.ropes[0].n_dims, base) if name in ("gemma3", "olmo2") else \
                self.shared_rope(of, tensor, head_dim, n_context, base)
            self.ropes = [local if window else rope for window, rope in zip(self.windows, self.ropes)]
        if name == "gemma2":
            self.score_cap, self.logit_cap = of("attn_logit_softcapping", 50.0), of("final_logit_softcapping", 30.0)
        if name == "phi3":
            self.windows = [of("attention.sliding_window", 0)] * n_layers
        if name == "smollm3":
            self.ropes = [None if layer % 4 == 3 else rope for layer, rope in enumerate(self.ropes)]
        if name == "granite":
            self.embedding_scale = of("embedding_scale", 0.0) or 1.0
            self.residual_scale = of("residual_scale", 0.0) or 1.0
            self.logit_scale = 1 / of("logit_scale")
            self.score_scale = of("attention.scale", 0.0) or self.score_scale
            if not of("rope.scaling.finetuned", True):
                self.ropes = [None] * n_layers
        if name == "mistral3" and of("attention.temperature_scale", 0.0):
            self.temperature = (of("attention.temperature_scale"),
                                of("attention.temperature_length", of("rope.scaling.original_context_length")))

    @staticmethod
    def windowed(of, period, n_layers):
        """Of each layer whether it has the window: what the file says, or all but the last of every `period`."""
        pattern = of("attention.sliding_window_pattern", period)
        return pattern if isinstance(pattern, list) else [layer % pattern < pattern - 1 for layer in range(n_layers)]

    @staticmethod
    def shared_rope(of, tensor, head_dim, n_context, base=None):
        trained = of("context_length")
        original = of("rope.scaling.original_context_length", trained)
        factors = tensor("rope_freqs.weight")
        if factors is None:
            is_long = (n_context or trained) > original
            factors = tensor("rope_factors_long.weight" if is_long else "rope_factors_short.weight")
        factor = of("rope.scaling.factor", of("rope.scale_linear", 1.0))
        kind = of("rope.scaling.type") or ("linear" if factor != 1.0 else "none")
        return Rope(of("rope.dimension_count", head_dim), base or of("rope.freq_base", 10000.0), factor, kind, factors,
                    of("rope.scaling.attn_factor", 1.0), original, of)

    def query_factor(self, position):
        """What queries are multiplied with after their rotation."""
        scale, length = self.temperature
        return 1 + scale * np.log(np.floor(position / length) + 1)
