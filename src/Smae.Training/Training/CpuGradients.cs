namespace Smae.Training;

/// <summary>
/// The fast path of training on a CPU: where the loss of a batch is the mean of its images' losses, each core makes the gradients of images of its own, a few
/// at a time, instead of all cores sharing every operation. What is computed is the same, but for the order of sums.
/// </summary>
internal sealed class CpuGradients : IDisposable
{
    // In TorchScript, since TorchSharp's autograd.grad ends the process when libtorch throws (no memory, say), and a script's call does not. The parameters'
    // own .grad, which backward() adds to, would be written by all threads in an order of chance.
    private const string Script = """
        def add_gradients(loss: Tensor, parameters: List[Tensor], places: List[Tensor]) -> int:
            made = torch.grad([loss], parameters, None, None, False, True)
            for i in range(len(made)):
                gradient = made[i]
                if gradient is not None:
                    places[i].add_(gradient)
            return 0

        """;

    private readonly torch.jit.CompilationUnit _script = torch.jit.compile(Script);
    private readonly ForwardNoise? _noise;
    private readonly CoreThreads _threads = new();
    private readonly Tensor[] _parameters;
    private readonly Worker[] _workers;

    private CpuGradients(Optimizer optimizer, ForwardNoise? noise)
    {
        (_noise, _parameters) = (noise, [.. optimizer.Parameters]);
        _workers = [.. Enumerable.Range(0, _threads.Count).Select(i => new Worker(optimizer, own: i > 0))];
    }

    /// <summary>The fast path of a run; null where there is none: on a GPU, and where libtorch has one thread.</summary>
    /// <param name="noise">What the model's dropout draws from; null if it has none of its own.</param>
    public static CpuGradients? Create(Optimizer optimizer, ForwardNoise? noise) =>
        optimizer.Weights.device_type == DeviceType.CPU && get_num_threads() > 1 ? new CpuGradients(optimizer, noise) : null;

    /// <summary>Adds the gradients of a batch to the optimiser's.</summary>
    /// <param name="rowsPerImage">Rows that an image adds to the model's matrix products, the tokens of a transformer.</param>
    /// <param name="noiseSeed">What dropout follows from, together with the place of an image: <paramref name="first"/> is that of the first.</param>
    /// <returns>The mean loss of the batch.</returns>
    public double Add<T>(int images, int rowsPerImage, Func<T, Tensor> loss, Func<int, int, T> slice, double share, long noiseSeed, int first)
    {
        (int Begin, int End)[] parts = _threads.Parts(images, rowsPerImage);
        T[] slices = [.. parts.Select(part => slice(part.Begin, part.End))];
        foreach (Worker worker in _workers) worker.Begin();
        _threads.Run(parts.Length, (thread, part) =>
        {
            using DisposeScope scope = NewDisposeScope();
            (Worker worker, (int begin, int end)) = (_workers[thread], parts[part]);
            double partShare = (double)(end - begin) / images;
            _noise?.Begin(noiseSeed, first + begin, end - begin);
            Tensor value = WithoutRest(slices[part], loss);
            worker.Loss += value.AsDouble() * partShare;
            _script.invoke("add_gradients", value.Times(partShare * share), _parameters, worker.Places);
            _noise?.End();
        });
        foreach (Worker worker in _workers) worker.Deliver();   // in one order always: the sum is the same in every run
        return _workers.Sum(worker => worker.Loss);
    }

    /// <summary>A loss, without what was made on the way to it and is not in its graph: that is freed before the backward pass.</summary>
    public static Tensor WithoutRest<T>(T batch, Func<T, Tensor> loss)
    {
        using DisposeScope scope = NewDisposeScope();
        return loss(batch).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _threads.Dispose();
        _script.Dispose();
        foreach (Worker worker in _workers) worker.Dispose();
    }

    /// <summary>What one thread makes: gradients that wait in a buffer of their own, or go straight to the optimiser's.</summary>
    private sealed class Worker(Optimizer optimizer, bool own) : IDisposable
    {
        private readonly Tensor? _buffer = own ? optimizer.NewBuffer() : null;
        private Tensor[]? _places;

        /// <summary>Where the gradient of each parameter is added to.</summary>
        public Tensor[] Places => _places ??= [.. optimizer.PlacesIn(_buffer ?? optimizer.Gradients).Select(place => place.DetachFromDisposeScope())];

        public double Loss { get; set; }

        public void Begin()
        {
            Loss = 0;
            _buffer?.zero_();
        }

        /// <summary>Adds what has waited to the optimiser's gradients.</summary>
        public void Deliver()
        {
            if (_buffer is not null) optimizer.Gradients.AddInPlace(_buffer);
        }

        public void Dispose()
        {
            foreach (Tensor place in _places ?? []) place.Dispose();
            _buffer?.Dispose();
        }
    }
}
