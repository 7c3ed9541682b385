namespace Smae.MLNet;

/// <summary>The labels of the rows that images are taken from, kept in step with them.</summary>
/// <param name="current">The class of the row as it stands, counted from 0; -1 is none.</param>
internal sealed class RowLabels(Func<int> current)
{
    private readonly List<int> _taken = [];

    /// <summary>The labels of the images that were kept.</summary>
    public List<int> Kept { get; } = [];

    /// <summary>Rows without a label.</summary>
    public long Missing { get; private set; }

    /// <summary>Takes the label of the row as it stands.</summary>
    /// <returns>Whether it has one.</returns>
    public bool Take()
    {
        int label = current();
        if (label < 0)
        {
            Missing++;
            return false;
        }
        _taken.Add(label);
        return true;
    }

    /// <summary>Keeps the label of the row that was taken as number <paramref name="index"/> since the last <see cref="Clear"/>.</summary>
    public void Keep(int index) => Kept.Add(_taken[index]);

    /// <summary>Forgets what was taken and not kept.</summary>
    public void Clear() => _taken.Clear();
}
