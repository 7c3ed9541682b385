using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public sealed partial class TextLoader
{
    /// <summary>A column and the fields that it is made of.</summary>
    public sealed class Column
    {
        public string Name;
        public Range[] Source;
        public KeyCount KeyCount;

        public Column()
        {
        }

        public Column(string name, DataKind dataKind, int index)
            : this(name, dataKind, [new Range(index)])
        {
        }

        public Column(string name, DataKind dataKind, int minIndex, int maxIndex)
            : this(name, dataKind, [new Range(minIndex, maxIndex)])
        {
        }

        public Column(string name, DataKind dataKind, Range[] source, KeyCount keyCount = null)
        {
            Contracts.CheckValue(name, nameof(name));
            Contracts.CheckValue(source, nameof(source));
            Name = name;
            DataKind = dataKind;
            Source = source;
            KeyCount = keyCount;
        }

        public DataKind DataKind { get; set; } = DataKind.Single;
    }

    /// <summary>Fields that stand side by side.</summary>
    public sealed class Range
    {
        public int Min;
        public int? Max;
        public bool AutoEnd;
        public bool VariableEnd;
        public bool AllOther;
        public bool ForceVector;

        public Range()
        {
        }

        public Range(int index)
        {
            Contracts.CheckParam(index >= 0, nameof(index), "Must be non-negative");
            Min = index;
            Max = index;
        }

        public Range(int min, int? max)
        {
            Contracts.CheckParam(min >= 0, nameof(min), "Must be non-negative");
            Contracts.CheckParam(!(max < min), nameof(max), "If specified, must be greater than or equal to min");
            Min = min;
            Max = max;
            // Even a single field makes a vector then.
            ForceVector = true;
            AutoEnd = max == null;
        }
    }
}
