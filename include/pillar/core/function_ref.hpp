#pragma once
// A borrowed callable: what std::function_ref will be. No allocation, no ownership; valid while the
// callable lives.

#include <memory>
#include <type_traits>
#include <utility>

namespace pillar {

template <class Signature>
class FunctionRef;

template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
  public:
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
             std::is_invocable_r_v<Result, F&, Args...>) FunctionRef(F&& callable)
    noexcept // NOLINT(bugprone-forwarding-reference-overload): constrained above
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
          call_([](void* object, Args... args) -> Result {
              return (*static_cast<std::remove_reference_t<F>*>(object))(
                  std::forward<Args>(args)...);
          }) {}

    Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

  private:
    void* object_;
    Result (*call_)(void*, Args...);
};

} // namespace pillar
