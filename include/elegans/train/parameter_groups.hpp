// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/optimizer_base.hpp>

namespace elegans {

/// Parameters that are trained in another way than the others. Mirrors an entry of PyTorch's `param_groups`.
///
///     {.parameters = {"1.*"}, .learning_rate_factor = 10, .weight_decay = 0}
struct ParameterGroup {
  std::vector<std::string> parameters = {};  ///< names of tensors; `*` stands for any characters, `?` for any one
  double learning_rate_factor = 1;           ///< times the optimizer's learning rate, at least 0
  std::optional<double> weight_decay = {};   ///< instead of the optimizer's, at least 0
  Clip clip = {};                            ///< of the group's gradient, after `FitOptions::clip`
  /// Scales the gradient of each tensor down to this norm, before `clip`; above 0. Keras calls it `clipnorm`.
  double tensor_norm = std::numeric_limits<double>::infinity();
};

// mutate all: train.parameter_groups
namespace detail {

/// True if a name matches a pattern, in which `*` stands for any characters and `?` for any one.
[[nodiscard]] constexpr bool matches(std::string_view name, std::string_view pattern) {
  std::size_t n = 0, p = 0, n_of_star = 0, p_of_star = std::string_view::npos;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      p_of_star = p++;
      n_of_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (p_of_star != std::string_view::npos) {
      p = p_of_star + 1;  // let the last star stand for one character more
      n = ++n_of_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Names a parameter, as "w(2, 0)"; by its number if the model does not name its tensors.
template <typename Model>
[[nodiscard]] std::string name_of_parameter(const Model& model, Index i) {
  if constexpr (requires { model.parameter_list().begin(); }) {
    for (const auto& entry : model.parameter_list()) {
      if (i < entry.offset || i >= entry.offset + entry.size()) continue;
      const Index k = i - entry.offset;
      return concatenate(entry.name, "(", k % entry.rows, ", ", k / entry.rows, ")");
    }
  }
  return concatenate(i);
}

}  // namespace detail

/// An optimizer that can step over some ranges of the parameters. The optimizers of the library can.
template <typename O, typename Scalar>
concept RangedOptimizer =
    Optimizer<O, Scalar> &&
    requires(O& optimizer, VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient,
             std::span<const ParameterRange> ranges) { optimizer.step(parameters, gradient, ranges); };

/// Says how to train each tensor of a model. `fit` makes it of `FitOptions::freeze` and `groups`; for a loop of your
/// own, put it into `TrainStepWorkspace::groups`.
///
/// By default, all parameters are trained alike.
class ParameterGroups {
 public:
  ParameterGroups() = default;

  /// Groups the parameters of a model. A frozen parameter may be in a group, too.
  ///
  /// \param freeze  names or patterns of the tensors that training does not change
  /// \throws InvalidArgument if a name or pattern matches no tensor, a tensor is in two groups, every tensor is frozen,
  ///                         or an option is out of range
  template <typename Model>
  ParameterGroups(const Model& model, const std::vector<std::string>& freeze,
                  const std::vector<ParameterGroup>& groups = {}) {
    if (freeze.empty() && groups.empty()) return;
    if constexpr (requires { model.parameter_list().begin(); }) {
      make(model.parameter_list(), freeze, groups);
    } else {
      detail::refuse("parameter groups: the model has no parameter_list(), so its parameters have no names");
    }
  }

  /// True if all parameters are trained alike.
  [[nodiscard]] bool empty() const noexcept { return groups_.empty() && frozen_.empty(); }
  /// The ranges that the optimizer steps over; empty for all parameters alike.
  [[nodiscard]] std::span<const ParameterRange> ranges() const& noexcept { return ranges_; }
  void ranges() const&& = delete;
  /// The tensors that training does not change.
  [[nodiscard]] std::span<const ParameterRange> frozen() const& noexcept { return frozen_; }
  void frozen() const&& = delete;

  /// Sets the derivatives of frozen parameters to 0, so that they count in no norm.
  template <typename Scalar>
  void hide_frozen(VectorView<Scalar> gradient) const {
    for (const ParameterRange& range : frozen_) gradient.segment(range.first, range.size).setZero();
  }

  /// Clips the gradient of each group.
  template <typename Scalar>
  void clip(VectorView<Scalar> gradient) const {
    for (const Members& group : groups_) {
      for (const ParameterRange& tensor : group.tensors) {
        Clip{.global_norm = group.tensor_norm}(gradient, std::span<const ParameterRange>(&tensor, 1));
      }
      group.clip(gradient, std::span<const ParameterRange>(group.tensors));
    }
  }

  /// Takes a step of an optimizer over everything that is not frozen.
  /// \throws InvalidArgument if the optimizer is not a `RangedOptimizer`, and some group has another rate or decay
  template <typename Scalar, Optimizer<Scalar> Optimize>
  void step(Optimize& optimizer, VectorView<Scalar> parameters, ConstVectorView<Scalar> gradient) const {
    if constexpr (RangedOptimizer<Optimize, Scalar>) {
      optimizer.step(parameters, gradient, ranges());
    } else {
      for (const ParameterRange& range : ranges_) {
        if (range.learning_rate_factor == 1 && !range.weight_decay) continue;
        detail::refuse(
            "parameter groups: this optimizer gives all parameters one learning rate and weight decay; see "
            "elegans::RangedOptimizer");
      }
      optimizer.step(parameters, gradient);
    }
  }

  /// The settings, for a fingerprint.
  template <typename Add>
  void fingerprint(Add add) const {
    const auto name = [](const char* what, const ParameterRange& range) {
      return std::string(what) + " " + std::to_string(range.first) + " to " + std::to_string(range.first + range.size);
    };
    for (const ParameterRange& range : frozen_) add(name("frozen", range), true);
    for (const ParameterRange& range : ranges_) {
      add(name("learning_rate_factor", range), range.learning_rate_factor);
      if (range.weight_decay) add(name("weight_decay", range), *range.weight_decay);
    }
    for (const Members& group : groups_) {
      add(name("clip.value", group.tensors.front()), group.clip.value);
      add(name("clip.global_norm", group.tensors.front()), group.clip.global_norm);
      add(name("tensor_norm", group.tensors.front()), group.tensor_norm);
      for (const ParameterRange& tensor : group.tensors) add(name("group", tensor), &group - groups_.data());
    }
  }

 private:
  /// The tensors of a group that are not frozen, at least one.
  struct Members {
    std::vector<ParameterRange> tensors;
    Clip clip;
    double tensor_norm;
  };

  template <typename List>
  void make(const List& list, const std::vector<std::string>& freeze, const std::vector<ParameterGroup>& groups) {
    const auto in = [&](const std::vector<std::string>& patterns, const std::string& name) {
      return std::any_of(patterns.begin(), patterns.end(),
                         [&](const std::string& pattern) { return detail::matches(name, pattern); });
    };
    require_matches(list, freeze);
    for (const ParameterGroup& group : groups) {
      require_matches(list, group.parameters);
      if (group.parameters.empty()) detail::refuse("parameter groups: a group names no parameters");
      require_that(group.learning_rate_factor >= 0 && detail::is_finite(group.learning_rate_factor),
                   "learning_rate_factor", "finite and at least 0", group.learning_rate_factor);
      const double decay = group.weight_decay.value_or(0);
      require_that(decay >= 0 && detail::is_finite(decay), "weight_decay", "finite and at least 0", decay);
      require_that(group.tensor_norm > 0 && !detail::is_nan(group.tensor_norm), "tensor_norm", "above 0",
                   group.tensor_norm);
      group.clip.require_positive();
    }
    std::vector<Members> members;
    for (const ParameterGroup& group : groups) members.push_back({{}, group.clip, group.tensor_norm});
    std::vector<ParameterRange> ranges;
    for (const auto& tensor : list) {
      ParameterRange range{.first = tensor.offset, .size = tensor.size()};
      const ParameterGroup* owner = nullptr;
      for (const ParameterGroup& group : groups) {
        if (!in(group.parameters, tensor.name)) continue;
        if (owner) detail::refuse("parameter groups: '", tensor.name, "' is in two groups");
        owner = &group;
        range.learning_rate_factor = owner->learning_rate_factor;
        range.weight_decay = owner->weight_decay;
      }
      if (in(freeze, tensor.name)) {
        frozen_.push_back(range);
        continue;
      }
      if (owner) members[static_cast<std::size_t>(owner - groups.data())].tensors.push_back(range);
      append(ranges, range);
    }
    if (ranges.empty()) detail::refuse("parameter groups: every parameter is frozen, so there is nothing to train");
    for (Members& group : members) {
      if (!group.tensors.empty()) groups_.push_back(std::move(group));
    }
    const bool all_alike = ranges.size() == 1 && ranges[0].size == list.count() &&
                           ranges[0].learning_rate_factor == 1 && !ranges[0].weight_decay;
    if (!all_alike) ranges_ = std::move(ranges);
  }

  /// Appends a range. What is done alike is one range, as the optimizer's loops are then longer, and a group that
  /// changes nothing leaves the bits alone.
  static void append(std::vector<ParameterRange>& ranges, const ParameterRange& range) {
    if (!ranges.empty()) {
      ParameterRange& last = ranges.back();
      if (last.first + last.size == range.first && last.learning_rate_factor == range.learning_rate_factor &&
          last.weight_decay == range.weight_decay) {
        last.size += range.size;
        return;
      }
    }
    ranges.push_back(range);
  }

  template <typename List>
  static void require_matches(const List& list, const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) {
      bool found = false;
      std::string names;
      for (const auto& tensor : list) {
        found = found || detail::matches(tensor.name, pattern);
        names += (names.empty() ? "" : ", ") + tensor.name;
      }
      if (!found) detail::refuse("parameter groups: no parameter matches '", pattern, "'; there are ", names);
    }
  }
  static void require_that(bool holds, const char* option, const char* range, double got) {
    if (!holds) detail::refuse("parameter groups: ", option, " must be ", range, ", got ", got);
  }

  std::vector<ParameterRange> ranges_;
  std::vector<ParameterRange> frozen_;
  std::vector<Members> groups_;
};

}  // namespace elegans
