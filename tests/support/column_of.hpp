#pragma once
// One member of many rows.

#include <functional>
#include <type_traits>
#include <vector>

namespace pillar::support {

template <class Row, class Member>
auto column_of(const std::vector<Row>& rows, Member member) {
    std::vector<std::remove_cvref_t<std::invoke_result_t<Member, const Row&>>> values;
    for (const Row& row : rows) values.push_back(std::invoke(member, row));
    return values;
}

} // namespace pillar::support
