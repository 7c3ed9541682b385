using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Some layers of a numbered sequence: those with parameters, under their numbers, as torchvision names them (<c>features.3</c>).</summary>
internal sealed class NumberedLayers : nn.Module
{
    private readonly Dictionary<int, nn.Module<Tensor, Tensor>> _layers = [];

    public NumberedLayers(string name, IEnumerable<(int Number, nn.Module<Tensor, Tensor> Layer)> layers) : base(name)
    {
        foreach ((int number, nn.Module<Tensor, Tensor> layer) in layers)
        {
            _layers.Add(number, layer);
            register_module($"{number}", layer);
        }
    }

    public nn.Module<Tensor, Tensor> this[int number] => _layers[number];
}
