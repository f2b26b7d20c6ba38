#include "config/windows.hpp"

namespace pillar::model {

namespace {

/// Nothing where the key is missing or a number.
const gguf::Array* pattern_array(const Keys& keys) {
    const gguf::Value* value = keys.metadata().find(keys.key(window_pattern_key));
    return value == nullptr ? nullptr : std::get_if<gguf::Array>(&value->value);
}

} // namespace

void read_windowed_layers(const Keys& keys, std::size_t period, Hyperparameters& h) {
    if (const gguf::Array* array = pattern_array(keys)) {
        const auto* flags = std::get_if<std::vector<bool>>(&array->values);
        if (flags == nullptr || flags->size() != h.n_layers)
            throw keys.error(window_pattern_key,
                             fmt::format("{} elements of {}; a boolean for each of {} layers is "
                                         "needed, or one number",
                                         array->size(), gguf::name_of(array->element), h.n_layers));
        h.has_window = *flags;
        return;
    }
    period = keys.optional(window_pattern_key, 1, max_layers, period);
    h.has_window.resize(h.n_layers);
    for (std::size_t layer = 0; layer < h.n_layers; ++layer)
        h.has_window[layer] = layer % period + 1 < period;
}

void add_window_rope(const Keys& keys, Rope rope, Hyperparameters& h) {
    rope.base = keys.positive(window_base_key, rope.base);
    if (rope != h.ropes.front()) h.ropes.push_back(rope);
}

void set_window(const Hyperparameters& h, std::size_t layer, LayerSpec& spec) {
    if (!h.has_window[layer]) return;
    spec.window = h.window;
    spec.rope = h.ropes.size() - 1;
}

} // namespace pillar::model
