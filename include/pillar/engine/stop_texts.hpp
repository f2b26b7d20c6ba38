#pragma once
// Texts at which an answer ends (--stop). What may be the beginning of one is held back until it is
// known not to be, so that nothing of a stop text is ever shown.

#include <string>
#include <string_view>
#include <vector>

namespace pillar::engine {

class StopTexts {
  public:
    /// Not empty ones. None at all: everything passes at once.
    explicit StopTexts(std::vector<std::string> texts);

    /// Text in pieces, as tokens bring it, cut anywhere. Returns what can be shown: up to the first
    /// stop text, if it has come. Valid until the next call.
    std::string_view push(std::string_view piece);
    /// The answer ends otherwise: what was held back.
    std::string_view rest();
    [[nodiscard]] bool has_stopped() const noexcept { return has_stopped_; }

  private:
    std::string_view release(std::size_t n_bytes);

    std::vector<std::string> texts_;
    std::string held_; ///< not shown yet
    std::string shown_;
    bool has_stopped_ = false;
};

} // namespace pillar::engine
