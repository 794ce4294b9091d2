// error: LayerWithBackward
#include <elegans/layer/sequential.hpp>
#include <elegans/model/ltc.hpp>

// An LTC without a backward pass.
class NoBackward : public elegans::LTC<float> {
 public:
  using elegans::LTC<float>::LTC;
  void backward() = delete;
};

elegans::Sequential<NoBackward>* model = nullptr;
