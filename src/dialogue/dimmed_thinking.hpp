#pragma once
// <think> … </think> of an answer in dim letters, as the text comes.

#include <string>
#include <string_view>

namespace pillar::dialogue {

class DimmedThinking {
  public:
    /// `is_on`: else the text stays as it is. `is_inside`: the prompt has begun to think.
    DimmedThinking(bool is_on, bool is_inside) noexcept;
    /// What can be shown of the text so far: what may be the beginning of a mark waits.
    std::string push(std::string_view piece);
    /// The rest; ordinary letters from here on.
    std::string finish();

  private:
    bool is_on_;
    bool is_inside_;
    bool is_dim_ = false; ///< the terminal is told
    std::string waiting_;
};

} // namespace pillar::dialogue
