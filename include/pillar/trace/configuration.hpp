#pragma once
// /config of a trace: every effective option of a run and what is known of its model. The table
// below is the only list of its keys: what is written, read, compared by reports and documented in
// docs/trace_format.md goes by it. A key that is not on it does not compile.

#include "pillar/storage/types.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pillar::trace {

enum class ValueType : std::uint8_t { text, integer, number };
/// As storage holds it and the page names it: "text", "int64" or "float64".
[[nodiscard]] constexpr std::string_view name_of(ValueType type) noexcept {
    return type == ValueType::text ? "text" : type == ValueType::integer ? "int64" : "float64";
}

struct ConfigurationKey {
    std::string_view name;
    ValueType type;
    std::string_view unit; ///< empty: none
    std::string_view meaning;
    bool separates_rows = false; ///< reports put traces that differ in it into different rows
};

/// In the order of the page, and of what reports say.
inline constexpr auto configuration_keys = [] {
    using enum ValueType;
    return std::to_array<ConfigurationKey>({
        {"model", text, "", "name of the model"},
        {"model_file", text, "", "as `-m` was given"},
        {"model_bytes", integer, "byte", "size of the file, of a split model of all parts"},
        {"architecture", text, "", "of the model: `llama`"},
        {"n_parameters", integer, "", "weights of the model"},
        {"quantisation", text, "", "the block format of most of its bytes: `q4_0`, `q4_K` …"},
        {"model_hash", text, "", "hash of the file's header: tells models of one name apart"},
        {"n_ranks", integer, "", "ranks of the run; always present"},
        {"n_layers", integer, "", "layers of the model"},
        {"dim", integer, "", "length of the vector that goes from layer to layer"},
        {"head_dim", integer, "", "length of a head's part of it"},
        {"window", integer, "",
         "positions that a row sees in layers with a window; 0: there are none"},
        {"n_window_layers", integer, "", "layers with a window"},
        {"n_joint_norm_layers", integer, "",
         "layers that exchange sums of squares for a norm over all heads"},
        {"kernels", text, "", "kernel family", true},
        {"allreduce", text, "", "as `--allreduce` was given", true},
        {"allreduce_decode", text, "", "what `auto` chose for a decode step, else the same"},
        {"allreduce_prompt", text, "", "and for the chunks of a prompt"},
        {"allreduce_border_bytes", integer, "byte",
         "longest vector that is summed as in a decode step; 0: all are summed alike"},
        {"wire", text, "", "how all-reduces encode numbers", true},
        {"emulate_network", text, "",
         "latency in microseconds and nanoseconds a byte of an emulated network, `50,8.5`; empty: "
         "a real one",
         true},
        {"split", text, "", "as `--split` was given; the shares are in /hosts"},
        {"cache_type", text, "", "of keys and values", true},
        {"draft", text, "", "as `--draft` was given, `ngram:7`; empty: nothing is proposed", true},
        {"n_sequences", integer, "", "sequences a step", true},
        {"batch", integer, "", "prompt rows a step", true},
        {"n_context", integer, "", "positions that the KV cache has room for", true},
        {"n_predict", integer, "", "tokens asked for; −1: until the model ends"},
        {"ignore_eos", integer, "", "1: the model may not end its answer"},
        {"temperature", number, "", "of sampling"},
        {"top_k", integer, "", "of sampling"},
        {"top_p", number, "", "of sampling"},
        {"min_p", number, "", "of sampling"},
        {"repeat_last_n", integer, "", "of sampling"},
        {"repeat_penalty", number, "", "of sampling"},
        {"frequency_penalty", number, "", "of sampling"},
        {"presence_penalty", number, "", "of sampling"},
        {"seed", text, "", "of sampling; the one that was drawn where none was given"},
        {"trace_layers", integer, "", "of every how many steps /layers tells; 0: of none"},
        {"slurm_job_id", text, "", "job of Slurm"},
        {"slurm_array_job_id", text, "", "its array"},
        {"slurm_array_task_id", text, "", "its task in the array"},
    });
}();

/// Place in the table; its size for a name that is not there.
[[nodiscard]] constexpr std::size_t configuration_index(std::string_view name) noexcept {
    std::size_t i = 0;
    while (i < configuration_keys.size() && configuration_keys[i].name != name) ++i;
    return i;
}

/// A key's name as a template's argument.
template <std::size_t n>
struct KeyName {
    constexpr KeyName(const char (&literal)[n]) { std::copy_n(literal, n, text); }
    char text[n]{};
};

/// A name that is in the table.
template <KeyName name>
concept IsKey = configuration_index(name.text)
< configuration_keys.size();

/// What a value of a type is held as.
template <ValueType type>
using Held =
    std::conditional_t<type == ValueType::text, std::string,
                       std::conditional_t<type == ValueType::integer, std::int64_t, double>>;

/// The type of a key's value.
template <KeyName name>
using ValueOf = Held<configuration_keys[configuration_index(name.text)].type>;

/// Texts for a text, whole numbers of any width for an integer, floating-point numbers for a
/// number.
template <class Given, class T>
concept Fits = (std::is_same_v<T, std::string> && std::is_constructible_v<std::string, Given>) ||
               (std::is_same_v<T, std::int64_t> &&
                std::is_integral_v<std::remove_cvref_t<Given>>) ||
               (std::is_same_v<T, double> && std::is_floating_point_v<std::remove_cvref_t<Given>>);

class Configuration {
    template <KeyName name>
    static constexpr std::size_t place = configuration_index(name.text);

  public:
    /// `set<"n_layers">(16)`
    template <KeyName name, class Given>
    requires IsKey<name> && Fits<Given, ValueOf<name>>
    void set(Given&& value) {
        values_[place<name>] = static_cast<ValueOf<name>>(std::forward<Given>(value));
    }
    /// Nothing where it was not recorded.
    template <KeyName name>
    requires IsKey<name>
    [[nodiscard]] std::optional<ValueOf<name>> get() const {
        const auto& value = values_[place<name>];
        if (!value) return std::nullopt;
        return std::get<ValueOf<name>>(*value);
    }
    /// Its text, numbers printed; empty where it was not recorded.
    template <KeyName name>
    requires IsKey<name>
    [[nodiscard]] std::string text() const { return text_at(place<name>); }

    // By place in the table, for those who go through all of it.

    [[nodiscard]] const std::optional<storage::Value>& at(std::size_t index) const {
        return values_.at(index);
    }
    [[nodiscard]] std::string text_at(std::size_t index) const;
    /// False when the value is not of the key's type.
    [[nodiscard]] bool set_at(std::size_t index, storage::Value value);

  private:
    std::array<std::optional<storage::Value>, configuration_keys.size()> values_;
};

} // namespace pillar::trace
