#include "encoders/encoders.hpp"

namespace pillar::quantize {

namespace {
struct Baseline;
} // namespace

EncodeRow baseline_encoder(quant::Type type) noexcept {
    return encoder_of<Baseline>(type);
}

} // namespace pillar::quantize
