#pragma once
// gelu in its form with tanh, x · (1 + tanh u) / 2 with u = √(2/π) · (x + 0.044715 · x³), is
// x / (1 + exp(−2u)): one exponential. −2u = x · (cubic · x² + linear).

namespace pillar::kernels {

inline constexpr float gelu_linear = -1.5957691216f;   ///< −2 √(2/π)
inline constexpr float gelu_cubic = -0.0713548162726f; ///< −2 √(2/π) · 0.044715

} // namespace pillar::kernels
