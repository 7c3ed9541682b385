namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    /// <summary>A column at its place in a schema.</summary>
    public struct Column
    {
        internal Column(string name, int index, bool isHidden, Data.DataViewType type, Annotations annotations)
        {
            if (string.IsNullOrEmpty(name))
                throw new ArgumentNullException(nameof(name));
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            Name = name;
            Index = index;
            IsHidden = isHidden;
            Type = type ?? throw new ArgumentNullException(nameof(type));
            Annotations = annotations ?? Annotations.Empty;
        }

        public string Name { get; }

        public int Index { get; }

        public bool IsHidden { get; }

        public Data.DataViewType Type { get; }

        public Annotations Annotations { get; }

        public override string ToString()
        {
            string annotations = Annotations is { Schema.Count: > 0 } ? $" {{{Annotations}}}" : "";
            return $"{Name}: {Type}{annotations}";
        }
    }
}
