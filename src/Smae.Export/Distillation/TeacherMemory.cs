using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>A teacher's rows for the images that it has seen: in memory, and beyond a budget in a temporary file.</summary>
/// <param name="length">Numbers of a row.</param>
internal sealed class TeacherMemory(int length, ImageCacheOptions cache) : IDisposable
{
    private readonly ImageStore _rows = new(height: 1, width: length, channels: sizeof(ushort), cache);   // a row is an image of its bytes
    private readonly Dictionary<long, long> _places = [];

    /// <summary>The rows of some images.</summary>
    /// <param name="images">The images, by the numbers that they have in every epoch.</param>
    /// <param name="ask">Gives the rows of those of them that are not known yet, by their places among <paramref name="images"/>.</param>
    /// <returns><c>[images, length]</c>, float16, on the CPU.</returns>
    public Tensor Recall(ReadOnlySpan<long> images, Func<long[], Tensor> ask)
    {
        var unknown = new List<long>();
        for (int i = 0; i < images.Length; i++)
            if (!_places.ContainsKey(images[i])) unknown.Add(i);
        if (unknown.Count > 0)
        {
            using Tensor made = ask([.. unknown]), rows = made.cpu().contiguous();
            for (int i = 0; i < unknown.Count; i++)
            {
                _rows.Add(Row(rows, i));
                _places[images[(int)unknown[i]]] = _rows.Count - 1;
            }
        }
        Tensor known = empty([images.Length, length], ScalarType.Float16);
        for (int i = 0; i < images.Length; i++) _rows[_places[images[i]]].CopyTo(Row(known, i));
        return known;
    }

    public void Dispose() => _rows.Dispose();

    private Span<byte> Row(Tensor rows, int index) => rows.bytes.Slice(index * length * sizeof(ushort), length * sizeof(ushort));
}
