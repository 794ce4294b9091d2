// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/type_word.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/clip.hpp>
#include <elegans/train/data_source.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/hash.hpp>
#include <elegans/train/parameter_groups.hpp>
#include <elegans/train/plateau.hpp>
#include <elegans/train/training_group.hpp>
#include <elegans/train/training_state.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans {

/// A type that describes itself in a checkpoint: `fingerprint(add)` calls `add(name, value)` for each property that the
/// result of a training depends on. Values are numbers, bools, enums or strings.
///
/// A model, loss or optimizer without it is described by its parameters' names and shapes, its options and its wiring,
/// as far as it has any; else by the name of its type. Nothing tells two lambdas apart.
template <typename T>
concept Fingerprinted = requires(const T& object) { object.fingerprint([](const std::string&, const auto&) {}); };

namespace detail {

/// The parts in a row; no locale changes them.
template <typename... Parts>
[[nodiscard]] std::string plain_text(const Parts&... parts) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);  // else a failed allocation would only cut the text off
  text.imbue(std::locale::classic());
  (text << ... << parts);
  return text.str();
}

/// The shortest digits that give the value back.
template <typename Real>
[[nodiscard]] std::string shortest_text(Real value) {
  std::string digits;
  for (int precision = 1; precision <= std::numeric_limits<Real>::max_digits10; ++precision) {
    std::stringstream text;
    text.exceptions(std::ios::badbit);
    text.imbue(std::locale::classic());
    text.precision(precision);
    text << value;
    digits = text.str();
    Real read{};
    if (text >> read && read == value) break;
  }
  return digits;
}

/// Collects the settings of a run.
class Fingerprint {
 public:
  template <typename T>
  void add(const std::string& name, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      settings_.push_back({name, value ? "true" : "false"});
    } else if constexpr (std::is_enum_v<T>) {
      settings_.push_back({name, plain_text(static_cast<long long>(value))});
    } else if constexpr (std::is_floating_point_v<T>) {
      settings_.push_back({name, shortest_text(value)});
    } else {
      settings_.push_back({name, plain_text(value)});
    }
  }

  [[nodiscard]] std::vector<Setting> take() { return std::move(settings_); }

  template <typename Scalar>
  void add_data(const std::string& whose, const Dataset<Scalar>& data) {
    const auto add_sequence = [&](const char* name, const Sequence<Scalar>& values) {
      Hash hash;
      hash.add(values.values().data(), static_cast<std::size_t>(values.values().size()));
      add(whose + name,
          plain_text("(", values.time(), ", ", values.batch(), ", ", values.features(), ") ", hash.text()));
    };
    add_sequence(" x", data.x);
    add_sequence(" y", data.y);
    Hash timespans, mask, weights;
    for (Index t = 0; t < data.x.time(); ++t) {
      for (Index b = 0; b < data.samples(); ++b) {
        const Scalar elapsed = data.timespans(t, b);
        const unsigned char exists = data.mask(t, b);
        timespans.add(&elapsed, 1);
        mask.add(&exists, 1);
      }
    }
    weights.add(data.weights.data(), data.weights.size());
    add(whose + " timespans", timespans.text());
    add(whose + " mask", mask.text());
    add(whose + " weights", weights.text());
    if (!data.step_weights.is_uniform()) {
      Hash steps;
      for (Index t = 0; t < data.y.time(); ++t) {
        for (Index b = 0; b < data.samples(); ++b) {
          const Scalar weight = data.step_weights(t, b);
          steps.add(&weight, 1);
        }
      }
      add(whose + " step_weights", steps.text());
    }
    if (!data.class_weights.empty()) {
      Hash classes;
      classes.add(data.class_weights.data(), data.class_weights.size());
      add(whose + " class_weights", classes.text());
    }
  }

  /// Describes data that need not be in memory.
  template <typename Scalar, typename Source>
  void add_source(const std::string& whose, Source& source) {
    if constexpr (SourceReader<Source, Scalar>::in_memory) {
      add_data(whose, source);
    } else {
      add(whose + " samples", static_cast<Index>(source.samples()));
      if constexpr (Fingerprinted<Source>) {
        source.fingerprint([&](const std::string& name, const auto& value) { add(whose + " " + name, value); });
      } else {
        SourceReader<Source, Scalar> reader(source);
        for (const Index sample : {Index{0}, static_cast<Index>(source.samples()) - 1}) {
          reader.read({&sample, 1}, "fit: data source");
          add_data(plain_text(whose, " sample ", sample), reader.data());
        }
      }
    }
  }

  template <typename Scalar>
  void add_options(const FitOptions<Scalar>& options) {
    add("batch_size", options.batch_size);
    add("grain", options.grain);
    add("shuffle", options.shuffle);
    add("drop_last", options.drop_last);
    add("seed", options.seed);
    add("validation_split", options.validation_split);
    add("patience", options.patience);
    add("min_delta", options.min_delta);
    add("restore_best_weights", options.restore_best_weights);
    add("monitor", options.monitor);
    add("schedule", static_cast<bool>(options.schedule));
    add("schedule_by_batch", options.schedule_by_batch);
    const ReduceLROnPlateau& plateau = options.reduce_lr_on_plateau;
    add("reduce_lr_on_plateau patience", plateau.patience);
    if (plateau.patience > 0) {
      add("reduce_lr_on_plateau factor", plateau.factor);
      add("reduce_lr_on_plateau min_delta", plateau.min_delta);
      add("reduce_lr_on_plateau cooldown", plateau.cooldown);
      add("reduce_lr_on_plateau min_lr", plateau.min_lr);
    }
    add_object("clip", options.clip);
    add("loss_over", options.loss_over);
    add("bptt_steps", options.bptt_steps);
    add("stateful", options.stateful);
  }

  /// Describes a loss, metric, transform or optimizer: by the name of its type if by nothing else.
  template <typename T>
  void add_part(const std::string& whose, const T& part) {
    const std::size_t before = settings_.size();
    add_object(whose, part);
    if (settings_.size() > before) return;
    if (const std::string word = word_of_type<T>(); !word.empty()) add(whose, word);
  }

  /// Describes a model, or a part of one or of a training.
  template <typename T>
  void add_object(const std::string& whose, const T& object) {
    if constexpr (requires {
                    { object.name } -> std::convertible_to<const char*>;
                  })
      add(whose, object.name);
    if constexpr (requires {
                    { object.name() } -> std::convertible_to<const char*>;
                  })
      add(whose, object.name());
    if constexpr (Fingerprinted<T>) {
      object.fingerprint([&](const std::string& name, const auto& value) { add(whose + " " + name, value); });
      return;
    }
    if constexpr (requires { object.summary_rows(); }) {
      std::string kinds;
      for (const auto& row : object.summary_rows()) kinds += (kinds.empty() ? "" : ", ") + row.layer;
      add(whose, kinds);
    }
    if constexpr (requires { object.parameter_list().count(); }) {
      Hash hash;
      for (const auto& entry : object.parameter_list())
        hash.add(plain_text(entry.name, entry.rows, ' ', entry.columns));
      add(whose + " parameters", plain_text(object.parameter_list().count(), " ", hash.text()));
    }
    const auto add_layer = [&](const std::string& name, const auto& layer) {
      add_object(plain_text(whose, " layer ", name), layer);
    };
    if constexpr (requires { object.for_each_layer(add_layer); }) object.for_each_layer(add_layer);
    const auto add_held = [&](const auto& layer) { add_object(whose, layer); };
    if constexpr (requires { object.visit(add_held); }) {
      object.visit(add_held);
      return;
    }
    if constexpr (requires { object.cell(); }) {
      add_object(whose, object.cell());
    } else if constexpr (requires { object.inner(); }) {
      add_object(whose, object.inner());
    } else {
      if constexpr (requires { object.options(); }) {
        add_fields(whose, object.options());
      } else if constexpr (std::is_same_v<T, Clip>) {
        add_fields(whose, object);
      }
      if constexpr (requires {
                      { object.delta() } -> std::convertible_to<double>;
                    })
        add(whose + " delta", object.delta());
      if constexpr (requires { object.wiring().adjacency_matrix(); }) add_wiring(whose, object.wiring());
      if constexpr (requires { object.layout().begin()->mask; }) {
        Hash hash;
        for (const auto& block : object.layout()) {
          hash.add(block.prefix);
          hash.add(block.mask.data(), static_cast<std::size_t>(block.mask.size()));
        }
        add(whose + " wiring", hash.text());
      }
    }
    // Users set it between two calls of `fit`, so the options may be out of date.
    if constexpr (requires { object.learning_rate(); }) add(whose + " learning_rate", object.learning_rate());
  }

 private:
  template <typename Wiring>
  void add_wiring(const std::string& whose, const Wiring& wiring) {
    Hash hash;
    const auto add_matrix = [&](const auto& polarities) {
      for (Index j = 0; j < polarities.cols(); ++j) {
        for (Index i = 0; i < polarities.rows(); ++i) {
          const auto polarity = static_cast<signed char>(polarities(i, j));
          hash.add(&polarity, 1);
        }
      }
    };
    add_matrix(wiring.adjacency_matrix());
    add_matrix(wiring.sensory_adjacency_matrix());
    add(whose + " wiring", plain_text(wiring.units(), " units ", hash.text()));
  }

  /// The fields that the library's options have.
  template <typename Options>
  void add_fields(const std::string& whose, const Options& o) {
    const auto field = [&](const char* name, const auto& value) { add(whose + " " + name, value); };
    // Of models.
    if constexpr (requires { o.input_mapping; }) field("input_mapping", o.input_mapping);
    if constexpr (requires { o.output_mapping; }) field("output_mapping", o.output_mapping);
    if constexpr (requires { o.solver; }) field("solver", o.solver);
    if constexpr (requires { o.ode_unfolds; }) field("ode_unfolds", o.ode_unfolds);
    if constexpr (requires { o.implicit_param_constraints; }) {
      field("implicit_param_constraints", o.implicit_param_constraints);
    }
    if constexpr (requires { o.mode; }) field("mode", o.mode);
    if constexpr (requires { o.activation; }) field("activation", o.activation);
    if constexpr (requires { o.backbone_units; }) field("backbone_units", o.backbone_units);
    if constexpr (requires { o.backbone_layers; }) field("backbone_layers", o.backbone_layers);
    if constexpr (requires { o.backbone_dropout; }) field("backbone_dropout", o.backbone_dropout);
    if constexpr (requires { o.dropout_behind_first_layer; }) {
      field("dropout_behind_first_layer", o.dropout_behind_first_layer);
    }
    if constexpr (requires { o.head_activation; }) field("head_activation", o.head_activation);
    if constexpr (requires { o.share; }) field("share", o.share);
    if constexpr (requires { o.proj_size; }) field("proj_size", o.proj_size);
    if constexpr (requires { o.return_sequences; }) field("return_sequences", o.return_sequences);
    if constexpr (requires { o.seed; }) field("seed", o.seed);
    if constexpr (requires { o.initialization; }) add_initialization(whose + " initialization.", o.initialization);
    // Of optimizers.
    if constexpr (requires { o.beta1; }) field("beta1", o.beta1);
    if constexpr (requires { o.beta2; }) field("beta2", o.beta2);
    if constexpr (requires { o.weight_decay; }) field("weight_decay", o.weight_decay);
    if constexpr (requires { o.rho; }) field("rho", o.rho);
    if constexpr (requires { o.momentum; }) field("momentum", o.momentum);
    if constexpr (requires { o.nesterov; }) field("nesterov", o.nesterov);
    // Of metrics.
    if constexpr (requires { o.of_class; }) field("of_class", o.of_class);
    // Of models and optimizers.
    if constexpr (requires { o.epsilon; }) field("epsilon", o.epsilon);
    // Of transforms.
    if constexpr (requires { o.value; }) field("value", o.value);
    if constexpr (requires { o.global_norm; }) field("global_norm", o.global_norm);
  }

  template <typename Initialization>
  void add_initialization(const std::string& whose, const Initialization& initial) {
    const auto range = [&](const char* name, const auto& r) {
      add(whose + name, "[" + shortest_text(r.low) + ", " + shortest_text(r.high) + "]");
    };
    range("gleak", initial.gleak);
    range("vleak", initial.vleak);
    range("cm", initial.cm);
    range("w", initial.w);
    range("sigma", initial.sigma);
    range("mu", initial.mu);
    range("sensory_w", initial.sensory_w);
    range("sensory_sigma", initial.sensory_sigma);
    range("sensory_mu", initial.sensory_mu);
  }

  std::vector<Setting> settings_;
};

/// Everything that the result of a run depends on, besides the number of epochs and the schedule.
///
/// \param scores      a tuple: the loss, then each metric
/// \param transforms  a tuple of the gradient transforms
template <typename Model, typename Optimize, typename Scores, typename Transforms, typename Scalar, typename Source>
[[nodiscard]] std::vector<Setting> fingerprint_of(const Model& model, const Optimize& optimizer, const Scores& scores,
                                                  const Transforms& transforms, const FitOptions<Scalar>& options,
                                                  const ParameterGroups& groups, Source& data) {
  Fingerprint fingerprint;
  fingerprint.add_object("model", model);
  fingerprint.add_part("optimizer", optimizer);
  const auto add_each = [&](const std::string& kind, const auto&... objects) {
    int k = 0;
    [[maybe_unused]] const auto add = [&](const auto& object) {
      fingerprint.add_part(kind + " " + std::to_string(++k), object);
    };
    (for_each_score<Scalar>(objects, add), ...);
    fingerprint.add(kind + "s", k);
  };
  std::apply(
      [&](const auto& loss, const auto&... metrics) {
        fingerprint.add_part("loss", loss);
        add_each("metric", metrics...);
      },
      scores);
  std::apply([&](const auto&... each) { add_each("transform", each...); }, transforms);
  fingerprint.add_options(options);
  fingerprint.add_object("parameter groups", groups);
  fingerprint.add_source<Scalar>("data", data);
  if (options.validation) fingerprint.add_data("validation", *options.validation);
  return fingerprint.take();
}

// mutate all: checkpoint.fingerprint
/// The settings in which two runs differ, in words; empty if in none.
[[nodiscard]] inline std::string difference_of(const std::vector<Setting>& then, const std::vector<Setting>& now) {
  const auto value_of = [](const std::vector<Setting>& settings, const std::string& name) -> std::string {
    for (const Setting& setting : settings) {
      if (setting.name == name && !setting.value.empty()) return setting.value;
    }
    return "none";
  };
  std::string text;
  const auto note = [&](const std::string& name) {
    const std::string before = value_of(then, name), after = value_of(now, name);
    if (before == after) return;
    text += (text.empty() ? "" : "; ") + name + " was " + before + ", is " + after;
  };
  for (const Setting& setting : now) note(setting.name);
  for (const Setting& setting : then) {
    if (value_of(now, setting.name) == "none") note(setting.name);
  }
  return text;
}

/// \throws InvalidArgument if a process trains otherwise than the first one
template <typename Group>
void require_same_settings(Group& group, std::vector<Setting> mine, int epochs) {
  if constexpr (is_shared<Group>) {
    mine.push_back({"epochs", std::to_string(epochs)});
    std::string text;
    for (const Setting& setting : mine) text += setting.name + '\n' + setting.value + '\n';
    std::istringstream lines(text_of_root(group, text));
    std::vector<Setting> of_root;
    for (Setting setting; std::getline(lines, setting.name) && std::getline(lines, setting.value);) {
      of_root.push_back(setting);
    }
    if (const std::string difference = difference_of(of_root, mine); !difference.empty()) {
      refuse("fit: process ", group.rank(), " trains otherwise than process 0: ", difference);
    }
  }
}

}  // namespace detail
}  // namespace elegans
