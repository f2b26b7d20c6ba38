#pragma once
// Errors that all ranks must know of: a phase of the setup runs on every rank, and if it fails
// anywhere, everybody throws the same error, so that nobody waits for a rank that has gone.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/function_ref.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pillar::comm {

/// Thrown on every rank by agree(): the error of the lowest failing rank. Its sentence names rank
/// and host unless all ranks failed with the same sentence.
class AgreedError : public Error {
  public:
    using Error::Error;
};

/// Collective. Run `phase`, which must not communicate, here; if it threw an Error (or any
/// std::exception: internal) on any rank, throw AgreedError on all.
void agree(Communicator& comm, FunctionRef<void()> phase);

/// Collective. Throw AgreedError(code) on all ranks unless `value` is the same everywhere. The
/// sentence says `what` differs and lists the hosts by group: "model header differs: pi1, pi2 have
/// 3f…; pi3 has 9c…".
void expect_same(Communicator& comm, std::string_view what, std::string_view value,
                 ExitCode code = ExitCode::disagree);

/// The same with the values of all ranks at hand (one a rank, in rank order, the same on all):
/// nothing is sent.
void expect_same_among(const Communicator& comm, std::string_view what,
                       const std::vector<std::string>& values, ExitCode code = ExitCode::disagree);

} // namespace pillar::comm
