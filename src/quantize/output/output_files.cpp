#include "output/output_files.hpp"

#include "output/written_metadata.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <filesystem>
#include <fmt/core.h>
#include <system_error>

namespace pillar::quantize {

namespace {

constexpr std::string_view extension = ".gguf";

} // namespace

std::vector<std::size_t> tensors_of_parts(const std::vector<Summary::Tensor>& tensors,
                                          std::uint64_t max_bytes) {
    if (max_bytes == 0) return {tensors.size()};
    std::vector<std::size_t> parts{0};
    std::uint64_t bytes = 0;
    for (const Summary::Tensor& tensor : tensors) {
        if (parts.back() > 0 && tensor.bytes_after > max_bytes - std::min(bytes, max_bytes)) {
            parts.push_back(0);
            bytes = 0;
        }
        ++parts.back();
        bytes += tensor.bytes_after;
    }
    return parts;
}

std::vector<std::string> output_names(const std::string& output, std::size_t n_parts) {
    if (n_parts == 0) return {output};
    const std::string stem =
        output.ends_with(extension) ? output.substr(0, output.size() - extension.size()) : output;
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= n_parts; ++i)
        names.push_back(fmt::format("{}-{:05}-of-{:05}{}", stem, i, n_parts, extension));
    return names;
}

void expect_room(const std::vector<std::string>& outputs, const Options& options,
                 std::uint64_t bytes) {
    std::vector<std::string> inputs = gguf::files_of_model(options.input);
    if (!options.importance.empty()) inputs.push_back(options.importance);
    for (const std::string& output : outputs) expect_output(output, options.replace, inputs);
    const std::string target = output_target(outputs.front());
    if (drops_output(target)) return;
    std::filesystem::path folder = std::filesystem::path(target).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code failed; // some file systems do not say
    const std::filesystem::space_info space = std::filesystem::space(folder, failed);
    if (!failed && space.available < bytes)
        throw Error(
            ExitCode::refused,
            fmt::format("{}: the model takes {}, and there are {} left in {}; free some, or "
                        "give the output another folder",
                        printable(outputs.front()), human_bytes(static_cast<double>(bytes)),
                        human_bytes(static_cast<double>(space.available)),
                        printable(folder.string())));
}

OutputFiles::OutputFiles(const gguf::File& model, const Summary& summary, const Options& options,
                         const ColumnImportance& importance)
    : n_tensors_(tensors_of_parts(summary.tensors, options.split_max_bytes)) {
    const auto alignment = static_cast<std::uint32_t>(
        model.metadata().integer("general.alignment", 1, gguf::max_alignment).value_or(32));
    const bool is_split = options.split_max_bytes > 0;
    auto tensor = summary.tensors.begin();
    for (std::size_t part = 0; part < n_tensors_.size(); ++part) {
        auto writer = std::make_unique<gguf::Writer>(summary.outputs[part], alignment);
        if (part == 0) add_metadata(*writer, model.metadata(), options, importance);
        if (is_split) add_split(*writer, part, n_tensors_.size(), summary.tensors.size());
        for (std::size_t i = 0; i < n_tensors_[part]; ++i, ++tensor)
            writer->declare(tensor->name, tensor->to, tensor->shape);
        writers_.push_back(std::move(writer));
    }
}

void OutputFiles::next_tensor() {
    ++n_done_;
    if (n_done_ < n_tensors_[current_] || current_ + 1 == writers_.size()) return;
    ++current_;
    n_done_ = 0;
}

void OutputFiles::close() {
    for (const auto& writer : writers_) writer->close();
}

} // namespace pillar::quantize
