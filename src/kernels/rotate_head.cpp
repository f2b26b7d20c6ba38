#include "pillar/kernels/family.hpp"

#include <cmath>

namespace pillar::kernels {

void rotate_head(float* head, std::size_t head_dim) noexcept {
    const std::size_t n = head_dim & (~head_dim + 1); // its lowest bit
    const float factor = 1.0f / std::sqrt(static_cast<float>(n));
    for (float* run = head; run < head + head_dim; run += n) {
        for (std::size_t width = 1; width < n; width *= 2)
            for (std::size_t i = 0; i < n; i += 2 * width)
                for (std::size_t j = i; j < i + width; ++j) {
                    const float a = run[j], b = run[j + width];
                    run[j] = a + b;
                    run[j + width] = a - b;
                }
        for (std::size_t i = 0; i < n; ++i) run[i] *= factor;
    }
}

} // namespace pillar::kernels
