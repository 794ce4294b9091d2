// compiles
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

// The message of a misspelled option lists all options in this order. A new option belongs into both.
auto train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  const auto& [epochs, batch_size, grain, shuffle, drop_last, seed, validation_split, validation, patience, min_delta,
               restore_best_weights, monitor, schedule, schedule_by_batch, reduce_lr_on_plateau, clip, freeze, groups,
               loss_over, bptt_steps, stateful, show_progress] = elegans::FitOptions<float>{};
  return elegans::fit(model, data, elegans::Adam<float>(),
                      {.epochs = epochs,
                       .batch_size = batch_size,
                       .grain = grain,
                       .shuffle = shuffle,
                       .drop_last = drop_last,
                       .seed = seed,
                       .validation_split = validation_split,
                       .validation = validation,
                       .patience = patience,
                       .min_delta = min_delta,
                       .restore_best_weights = restore_best_weights,
                       .monitor = monitor,
                       .schedule = schedule,
                       .schedule_by_batch = schedule_by_batch,
                       .reduce_lr_on_plateau = reduce_lr_on_plateau,
                       .clip = clip,
                       .freeze = freeze,
                       .groups = groups,
                       .loss_over = loss_over,
                       .bptt_steps = bptt_steps,
                       .stateful = stateful,
                       .show_progress = show_progress});
}
