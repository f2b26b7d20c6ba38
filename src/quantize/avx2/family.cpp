#include "encoders/encoders.hpp"

namespace pillar::quantize {

namespace {
struct Avx2;
} // namespace

EncodeRow avx2_encoder(quant::Type type) noexcept {
    return encoder_of<Avx2>(type);
}

} // namespace pillar::quantize
