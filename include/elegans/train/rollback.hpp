// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/config.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// Gives a model and its optimizer back the values that they had at the last `save`, unless it is released first. This
/// is how an exception in `fit` leaves both as they were.
///
/// An optimizer that cannot be copied keeps what it has learned.
template <typename Model, typename Optimize>
class Rollback {
 public:
  using Scalar = typename Model::Scalar;

  Rollback(Model& model, Optimize& optimizer) : model_(model), optimizer_(optimizer) { save(); }
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    if (!armed_) return;
    // This runs while an exception is on its way; a second one, as of a model that was moved from, would end the
    // program.
#if ELEGANS_EXCEPTIONS
    try {
      undo();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
#else
    undo();
#endif
  }

  void save() {
    // If a copy throws, model and optimizer are still what they should be.
    armed_ = false;
    const ConstVectorView<Scalar> now = model_.parameters();
    parameters_.assign(now.data(), now.data() + now.size());
    if constexpr (std::copyable<Optimize>) {
      if (next_) optimizer_then_.swap(next_);
      next_.reset();
      optimizer_then_ = optimizer_;
    }
    armed_ = true;
  }

  /// Allocates what the next `save` needs, now that the optimizer has its full size.
  void reserve() {
    if constexpr (std::copyable<Optimize>) next_ = optimizer_;
  }

  void release() noexcept { armed_ = false; }

 private:
  void undo() {
    const auto put_back = [&](VectorView<Scalar> all) {
      all = ConstVectorView<Scalar>(parameters_.data(), static_cast<Index>(parameters_.size()));
    };
    // `update_unconstrained` takes values as they are; `update` would apply constraints that they may never have met.
    if constexpr (requires { model_.update_unconstrained(put_back); }) {
      model_.update_unconstrained(put_back);
    } else {
      model_.update(put_back);
    }
    if constexpr (std::copyable<Optimize>) optimizer_ = std::move(*optimizer_then_);
  }

  struct Nothing {};
  using Copy = std::conditional_t<std::copyable<Optimize>, std::optional<Optimize>, Nothing>;

  Model& model_;
  Optimize& optimizer_;
  bool armed_ = false;
  std::vector<Scalar> parameters_;
  Copy optimizer_then_, next_;
};

}  // namespace elegans::detail
